import { fired, type Hit, quiet } from '../../model/finding.ts'
import { podLabel } from '../../situation/pods.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { injectorWebhooks, servedRevisions, unproxiedPods } from '../lib/injection.ts'
import { istiods, revisionOf } from '../lib/istiods.ts'
import { aboutSidecar } from '../lib/no-sidecar.ts'
import { withoutProxy, workloadCommand } from '../lib/pod-facts.ts'
import { aboutSync, proxiesOnTheWay, proxyId } from '../lib/sync-state.ts'

/** A label names a revision that is no longer there: nobody injects, and proxies of that revision have no istiod. */
export default defineRule({
  code: 'revision-removed',
  layer: 'upgrade',
  severity: 'error',
  explains: ['not-injected', 'not-applied'],
  title: 'A revision that is named does not exist',
  why: 'istio.io/rev names a revision or a tag. When its webhook is gone, new pods get no sidecar; when its istiod is gone, proxies of that revision get no configuration any more.',
  needs: ['mesh.namespaces', ['mesh.webhooks', 'mesh.config']],
  seeAlso: ['https://istio.io/latest/docs/setup/upgrade/canary/'],
  check(situation) {
    const hits = [...withoutWebhook(situation), ...withoutIstiod(situation)]
    return hits.length > 0 ? fired(...hits) : quiet
  },
})

function withoutWebhook(situation: Situation): readonly Hit[] {
  const served = servedRevisions(situation)
  if (served === null) return []
  for (const pod of unproxiedPods(situation)) {
    const namespace = situation.store.get('Namespace', null, pod.namespace)
    const labels = namespace?.object.metadata.labels ?? {}
    // With istio-injection beside it the two labels are the finding.
    if (!namespace || labels['istio-injection'] !== undefined) continue
    const wish = labels['istio.io/rev'] ?? pod.labels['istio.io/rev']
    if (wish === undefined || served.includes(wish)) continue
    const name = podLabel(pod)
    return [
      hit({
        subject: `namespace ${pod.namespace}`,
        title: `Namespace ${pod.namespace} asks for revision ${wish}, which no webhook serves, so ${name} has no sidecar`,
        statement: `istio.io/rev=${wish} selects no injection webhook; webhooks serve ${served.join(', ') || 'no revision at all'}. ${withoutProxy(pod)}.`,
        certainty: 'proven',
        supporting: [
          quoteObject(namespace, `labels of namespace ${pod.namespace}`, labels),
          ...webhookQuotes(situation, served),
        ],
        fix: {
          statement: `Label namespace ${pod.namespace} with a revision that is served${served.length > 0 ? ` (${served.join(', ')})` : ''}, or make the tag ${wish} again; then restart ${name}.`,
          commands: [
            `kubectl label namespace ${pod.namespace} istio.io/rev=${served[0] ?? 'REVISION'} --overwrite`,
            ...workloadCommand(pod, 'rollout restart'),
          ],
          scope: `pods that are created in ${pod.namespace} from then on`,
          risk: 'they get the proxy of that revision, which may be another version than the others have',
          undo: `kubectl label namespace ${pod.namespace} istio.io/rev=${wish} --overwrite`,
        },
        verify: {
          command: `istioctl x check-inject -n ${pod.namespace} ${pod.name}`,
          expect: 'a webhook that says INJECTED ✔',
        },
        about: aboutSidecar(situation.symptom),
      }),
    ]
  }
  return []
}

function webhookQuotes(situation: Situation, served: readonly string[]) {
  const [first] = injectorWebhooks(situation)
  const entry = first?.stored.entry ?? situation.all('mesh.webhooks')[0]?.entry
  return entry ? [quote(entry, 'revisions and tags that a webhook serves', served.join(', ') || 'none')] : []
}

/** Only where other istiods are seen: a control plane elsewhere is no missing one. */
function withoutIstiod(situation: Situation): readonly Hit[] {
  const running = istiods(situation)
  if (running.length === 0 || situation.store.readable('Pod', situation.given.istioNamespace) !== 'yes') return []
  const revisions = new Set(running.map(revisionOf))
  const status = situation.proxyStatus
  for (const pod of proxiesOnTheWay(situation)) {
    const { revision } = pod
    if (revision === null || revisions.has(revision) || (servedRevisions(situation) ?? []).includes(revision)) continue
    const absent = status !== null && situation.sync(pod) === null
    if (situation.sync(pod) !== null) continue
    return [
      hit({
        subject: proxyId(pod),
        title: `${proxyId(pod)} belongs to revision ${revision}, whose istiod is gone`,
        statement: `The proxy of ${proxyId(pod)} was injected by revision ${revision}; pods of istiod there are: ${[...revisions].join(', ')}. It keeps what it has and gets nothing new.`,
        certainty: absent ? 'proven' : 'likely',
        supporting: [
          quote(pod.entry, 'the revision that injected it', `istio.io/rev: ${revision}`),
          quote(running[0]?.entry ?? pod.entry, 'revisions of the istiods that run', [...revisions].join(', ')),
          ...(absent && status ? [quote(status.entry, `${proxyId(pod)} is not connected`, null)] : []),
        ],
        wouldDecide: absent
          ? null
          : {
              command: 'istioctl proxy-status',
              why: 'a row for it means that it is connected to an istiod; none, that it is cut off',
            },
        fix: {
          statement: `Let the workload of ${proxyId(pod)} make new pods under a revision that runs: relabel its namespace first if it still names ${revision}.`,
          commands: workloadCommand(pod, 'rollout restart'),
          scope: `the pods of ${podLabel(pod)}`,
          risk: 'its pods are replaced one by one, with another proxy version',
          undo: 'kubectl rollout undo of the workload, while the old revision is gone without effect',
        },
        verify: { command: 'istioctl proxy-status -v 1', expect: 'the new pod is listed and SYNCED' },
        about: aboutSync(situation),
      }),
    ]
  }
  return []
}
