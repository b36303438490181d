import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { aboutCreation, failedInjections, quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'

/** The API server reaches istiod's webhook and does not trust its certificate. */
export default defineRule({
  code: 'inject-webhook-x509',
  layer: 'control-plane',
  severity: 'error',
  explains: ['not-injected', '503'],
  title: 'The API server does not trust the injection webhook',
  why: 'The webhook’s configuration carries the CA that istiod’s certificate is checked against. After a change of the CA the old one may still stand there, and every pod that is to get a sidecar is refused.',
  needs: [['client.events', 'server.events']],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/injection/#x509-certificate-related-errors'],
  check(situation) {
    const [failed] = failedInjections(situation, (message) => /x509/.test(message))
    if (!failed) return quiet
    const { event } = failed
    const { istioNamespace } = situation.given
    return fired(
      hit({
        subject: `${event.object.kind} ${event.object.namespace}/${event.object.name}`,
        title: `No pod of ${event.object.name} can be created: the API server does not trust istiod's webhook certificate`,
        statement: `${event.message.slice(0, 300)}. The caBundle of the webhook and istiod’s own CA have parted.`,
        certainty: 'proven',
        supporting: [quoteEvent(event, 'the API server says why the pod was not created')],
        fix: {
          statement:
            'Compare the caBundle of the webhook with istiod’s CA; istiod writes it anew when it starts, so restart istiod alone. Keep the webhook itself.',
          commands: [
            `kubectl get configmap istio-ca-root-cert -n ${istioNamespace} -o yaml`,
            `kubectl -n ${istioNamespace} rollout restart deployment istiod`,
          ],
          scope: 'istiod; running proxies keep their configuration meanwhile',
          risk: 'no pushes and no new certificates for the time of the restart',
          undo: `kubectl -n ${istioNamespace} rollout undo deployment istiod`,
        },
        verify: {
          command: `kubectl get events -n ${event.object.namespace} --field-selector reason=FailedCreate`,
          expect: 'no new event that speaks of x509, and new pods',
        },
        about: aboutCreation(situation, failed),
      }),
    )
  },
})
