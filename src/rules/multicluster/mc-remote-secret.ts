import { fired, quiet } from '../../model/finding.ts'
import { quote } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { destinationName } from '../lib/words.ts'

/** istiod cannot read a remote cluster, so it knows no endpoints there. */
export default defineRule({
  code: 'mc-remote-secret',
  layer: 'multicluster',
  severity: 'error',
  explains: ['not-applied', '503', 'timeout', 'tls'],
  title: 'istiod cannot read a remote cluster',
  why: 'istiod learns pods of another cluster through a remote secret: an address and a token. When the token has run out or the address is not reachable, only endpoints of its own cluster are left.',
  needs: ['mesh.istiodLog'],
  seeAlso: ['https://istio.io/latest/docs/ops/diagnostic-tools/multicluster/'],
  // A destination with ready pods here does not need the other cluster.
  applies: ({ server, has }) => has('mesh.istiodLog') && !server.external && !server.pods.some(({ ready }) => ready),
  check(situation) {
    const said = situation.istiodLog
      .flatMap(({ data, entry }) => data.entries.map((one) => ({ one, entry })))
      .filter(({ one }) => one.kind === 'remote-cluster')
      .at(-1)
    if (!said) return quiet
    return fired({
      subject: 'remote cluster',
      title: `istiod reports trouble with a remote cluster, and ${destinationName(situation)} has no ready pod in this one`,
      statement: `istiod: ${said.one.message}. ${destinationName(situation)} has no ready pod here, so it would have to be reached in another cluster.`,
      certainty: 'possible',
      supporting: [quote(said.entry, 'istiod says so', said.one.raw, said.one.line)],
      contradicting: [],
      fix: {
        statement:
          'Recreate the remote secret of that cluster with a fresh token and an address that istiod reaches; leave the other remote secrets as they are.',
        commands: ['istioctl remote-clusters', 'istioctl create-remote-secret --context=REMOTE --name=REMOTE'],
        scope: 'endpoints of that one cluster',
        risk: 'calls are spread over that cluster as soon as it is read',
        undo: 'delete the secret again',
      },
      verify: { command: 'istioctl remote-clusters', expect: 'synced for that cluster' },
      wouldDecide: {
        command: 'istioctl remote-clusters',
        why: 'synced means that istiod reads the other cluster; anything else proves that it does not',
      },
      about: 'call',
    })
  },
})
