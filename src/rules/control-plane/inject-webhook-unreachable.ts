import { fired, quiet } from '../../model/finding.ts'
import { defineRule } from '../define-rule.ts'
import { aboutCreation, failedInjections, quoteEvent } from '../lib/creation-events.ts'
import { hit } from '../lib/hit.ts'
import { readyIstiods } from '../lib/istiods.ts'

/** The API server cannot reach istiod's webhook, so pods that ask for a sidecar are not created at all. */
export default defineRule({
  code: 'inject-webhook-unreachable',
  layer: 'control-plane',
  severity: 'error',
  explains: ['not-injected', '503'],
  title: 'The injection webhook cannot be reached',
  why: 'The API server calls istiod for each pod that is to get a sidecar. Where it cannot reach it, the pod is refused: a workload stays without new pods.',
  needs: [['client.events', 'server.events']],
  yieldsTo: ['istiod-down', 'inject-webhook-x509'],
  seeAlso: ['https://istio.io/latest/docs/ops/common-problems/injection/'],
  check(situation) {
    const [failed] = failedInjections(
      situation,
      (message) =>
        !/x509|no endpoints available/.test(message) &&
        /deadline exceeded|timeout|refused|no such host|no route to host|EOF|reset by peer|unexpected status|proxyconnect/i.test(
          message,
        ),
    )
    if (!failed) return quiet
    const { event } = failed
    const istiods = readyIstiods(situation)
    const port = istiods.length > 0 ? 15017 : null
    return fired(
      hit({
        subject: `${event.object.kind} ${event.object.namespace}/${event.object.name}`,
        title: `No pod of ${event.object.name} can be created: the API server does not reach the injection webhook`,
        statement: `${event.message.slice(0, 300)}. ${
          port
            ? `istiod is ready, so the way from the API server to its port ${port} is closed.`
            : 'Whether istiod is up was not seen.'
        }`,
        certainty: 'proven',
        supporting: [
          quoteEvent(event, 'the API server says why the pod was not created'),
          ...istiods.slice(0, 1).map(({ quote }) => quote),
        ],
        fix: {
          statement:
            'Open the way from the API server to istiod on port 15017 (firewall, security group, or no_proxy of the API server). Leave failurePolicy as it is: Ignore would create pods without a sidecar in silence.',
          commands: [],
          scope: 'every namespace with injection',
          risk: 'a firewall rule that is too wide opens more than this port',
          undo: 'close the rule again',
        },
        verify: {
          command: `kubectl get events -n ${event.object.namespace} --field-selector reason=FailedCreate`,
          expect: 'no new event with failed calling webhook, and new pods',
        },
        about: aboutCreation(situation, failed),
      }),
    )
  },
})
