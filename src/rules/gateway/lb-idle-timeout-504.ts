import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteLine } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { answeredBefore } from '../lib/gateway-service.ts'
import { hostOfCall } from '../lib/gateways.ts'
import { tryThroughGateway } from '../lib/words.ts'

/** Whoever called the gateway hung up after the same time again and again: a timer before the gateway. */
export default defineRule({
  code: 'lb-idle-timeout-504',
  layer: 'lb-edge',
  severity: 'error',
  explains: ['504', 'timeout', '502'],
  title: 'The load balancer gives up before the application answers',
  why: 'Cloud load balancers end a request after a fixed time (often 60, 240 or 350 seconds) and answer 504 themselves. The gateway only sees its caller leave: flag DC, after the same time in every line.',
  needs: ['gateway.accessLog'],
  applies: ({ gateway }) => gateway !== null,
  check(situation) {
    const lines = situation.linesAt('gateway')
    const own = lines.find(({ record }) => record.code === 504 && record.flags.includes('UT'))
    if (own) return ruledOut('the gateway gave up itself (504 UT)', quoteLine(own, 'a timeout of the route'))
    const left = lines.filter(({ record }) => record.flags.includes('DC') && (record.durationMs ?? 0) >= 20_000)
    const last = left.at(-1)
    if (!last) return quiet
    const times = left.map(({ record }) => record.durationMs ?? 0)
    const [least, most] = [Math.min(...times), Math.max(...times)]
    const regular = left.length >= 2 && most - least <= least * 0.02
    const seconds = Math.round(most / 1000)
    const before = answeredBefore(situation)
    const host = hostOfCall(situation, last) ?? 'this host'
    return fired({
      subject: 'load balancer',
      title: `Whoever calls the gateway hangs up after ${seconds} s${regular ? ', every time' : ''}: a timer before the gateway`,
      statement: `The gateway logged DC in ${left.length === 1 ? 'one line' : `${left.length} lines`} for ${host}, after ${
        regular ? `${seconds} seconds each` : `${Math.round(least / 1000)} to ${seconds} seconds`
      }: its caller left before the application answered. A load balancer that gives up then answers 504 to the client.`,
      certainty: before !== null ? 'proven' : regular ? 'likely' : 'possible',
      supporting: [...(before === null ? [] : [quote('given', 'who wrote the response', `server: ${before}`)])].concat(
        left.slice(-2).map((line) => quoteLine(line, `the caller left after ${line.record.durationMs} ms`)),
      ),
      contradicting: [],
      fix: {
        statement: `Raise the idle or request timeout of the load balancer above what this request needs, or let the application answer sooner; nothing in the mesh changes.`,
        commands: [],
        scope: 'requests through this load balancer',
        risk: 'requests that hang are held longer',
        undo: 'set the old timeout again',
      },
      verify: tryThroughGateway(situation, host, `an answer after more than ${seconds} seconds`),
      wouldDecide:
        before !== null
          ? null
          : {
              command: `curl -sv -o /dev/null 'http://GATEWAY-ADDRESS/' -H 'Host: ${host}'`,
              why: 'the same request past the load balancer: if it answers after that time, the balancer is the one that gives up',
            },
      about: 'call',
    })
  },
})
