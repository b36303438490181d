import { isDocumented, lintRule, reasonAnnotation } from './lint-rule.ts'

/** D2: plaintext is let in, and nobody wrote down why. */
export default lintRule({
  code: 'lint-permissive-undocumented',
  layer: 'transport-mtls',
  severity: 'warning',
  title: 'PERMISSIVE without a documented reason',
  why: 'PERMISSIVE lets callers in without an identity. It is meant for the time of a migration; without a reason and an owner it stays.',
  seeAlso: ['https://istio.io/latest/docs/tasks/security/authentication/mtls-migration/'],
  find: ({ store }) =>
    store.list('PeerAuthentication').flatMap((stored) => {
      const { mtls, portLevelMtls } = stored.object.spec ?? {}
      const ports = Object.entries(portLevelMtls ?? {}).flatMap(([port, setting]) =>
        (setting as { mode?: string } | null)?.mode === 'PERMISSIVE' ? [port] : [],
      )
      if ((mtls?.mode !== 'PERMISSIVE' && ports.length === 0) || isDocumented(stored)) return []
      return {
        stored,
        message: `${mtls?.mode === 'PERMISSIVE' ? 'mode PERMISSIVE' : `port ${ports.join(', ')} PERMISSIVE`} lets plaintext in, and no annotation says why`,
        fix: `Write the reason into the annotation ${reasonAnnotation}, or move to STRICT once no caller sends plaintext.`,
        risk: 'STRICT refuses every caller that cannot do mutual TLS',
      }
    }),
})
