import type { KubeObject } from '../../model/kube.ts'
import type { MeshConfig } from '../mesh-config.ts'
import type { StrictFinding } from '../strict-readiness.ts'

/** DestinationRules that make proxies call the servers in something else than mutual TLS of the mesh. */
export function plaintextRules(
  rules: readonly KubeObject[],
  services: readonly KubeObject[],
  mesh: Pick<MeshConfig, 'enableAutoMtls'>,
): StrictFinding[] {
  return rules
    .filter(({ kind }) => kind === 'DestinationRule')
    .flatMap((rule) => {
      const hosts = services.filter((service) => isFor(rule, service))
      if (hosts.length === 0) return []
      const modes = tlsModes(rule.spec)
      const bad = modes.filter(({ mode }) => mode === 'DISABLE' || mode === 'SIMPLE' || mode === 'MUTUAL')
      const name = `${rule.metadata.namespace}/${rule.metadata.name}`
      const targets = hosts.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ')
      const found: StrictFinding[] = bad.map(({ mode, where }) => ({
        subject: name,
        kind: 'destination-rule',
        effect: 'breaks',
        // Whether a client sees this rule depends on namespaces and on more specific rules.
        certainty: mode === 'MUTUAL' ? 'possible' : 'configured',
        why: `tls.mode ${mode} ${where}: proxies that follow it do not show ${targets} a certificate of the mesh`,
        evidence: [`DestinationRule ${name}`],
      }))
      if (!mesh.enableAutoMtls && modes.every(({ where }) => where !== 'for the host'))
        found.push({
          subject: name,
          kind: 'destination-rule',
          effect: 'breaks',
          certainty: 'configured',
          why: `automatic mutual TLS is off in this mesh, and the rule sets no tls for the host: ${targets} is called in plaintext`,
          evidence: [`DestinationRule ${name}`, 'enableAutoMtls in the mesh configuration'],
        })
      return found
    })
}

interface Mode {
  readonly mode: string
  readonly where: string
}

type Policy = { tls?: { mode?: string }; portLevelSettings?: { port?: { number?: number }; tls?: { mode?: string } }[] }

function tlsModes(
  spec: { trafficPolicy?: Policy; subsets?: { name: string; trafficPolicy?: Policy }[] } | undefined,
): Mode[] {
  const of = (policy: Policy | undefined, where: string): Mode[] => [
    ...(policy?.tls ? [{ mode: policy.tls.mode ?? 'DISABLE', where }] : []),
    ...(policy?.portLevelSettings ?? []).flatMap(({ port, tls }) =>
      tls ? [{ mode: tls.mode ?? 'DISABLE', where: `${where}, port ${port?.number ?? '?'}` }] : [],
    ),
  ]
  return [
    ...of(spec?.trafficPolicy, 'for the host'),
    ...(spec?.subsets ?? []).flatMap(({ name, trafficPolicy }) => of(trafficPolicy, `for subset ${name}`)),
  ]
}

/** A short name means the rule's own namespace; a name with a dot is taken as it is. */
function isFor(rule: KubeObject, service: KubeObject): boolean {
  const host = String(rule.spec?.host ?? '')
  const { name, namespace } = service.metadata
  if (!host.includes('.')) return host === '*' || (host === name && rule.metadata.namespace === namespace)
  const prefix = `${name}.${namespace}.svc.`
  if (host.startsWith('*.'))
    return `${prefix}cluster.local`.endsWith(host.slice(1)) || `.${prefix}`.includes(`${host.slice(1)}`)
  return host.startsWith(prefix)
}
