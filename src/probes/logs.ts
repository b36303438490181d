import { parseAccessLog } from '../../parsers/access-log.ts'
import { compileAccessLogFormat } from '../../parsers/access-log-format.ts'
import istiodLogParser from '../../parsers/istiod-log.ts'
import ztunnelLogParser from '../../parsers/ztunnel-log.ts'
import type { LogData } from '../situation/exchanges.ts'
import {
  ask,
  count,
  defineProbe,
  endsAreKnown,
  endTellers,
  kubectl,
  nothing,
  podsToAsk,
  podTarget,
  waitFor,
  waitForEnd,
} from './define.ts'

const tail = '--tail=2000'

/** The access log of the proxies on the way, in the container where it runs as sidecar, native sidecar or gateway. */
export const accessLog = defineProbe<LogData>({
  name: 'accessLog',
  roles: ['client', 'server', 'gateway', 'waypoint'],
  title: "the proxy's access log",
  layer: 'observability',
  needsExec: false,
  plan(situation, role) {
    if (!endsAreKnown(situation, role)) return waitForEnd(situation, role)
    const since = situation.given.since ? [`--since=${situation.given.since}`] : []
    const { format } = situation.mesh.accessLog
    const targets = podsToAsk(situation, role, 4)
      .filter(({ hasEnvoy }) => hasEnvoy)
      .map((pod) => ({
        ...podTarget(pod, kubectl('logs', pod.name, '-n', pod.namespace, '-c', 'istio-proxy', tail, ...since)),
        context: format,
      }))
    return ask(...targets)
  },
  read({ stdout }, { context }) {
    const format = typeof context === 'string' && context !== '' ? compileAccessLogFormat(context) : undefined
    const { records, others, unparsed } = parseAccessLog(stdout, format ? { format } : {})
    return { records, others, unparsed }
  },
  learned: ({ records, unparsed }) =>
    records.length === 0
      ? 'no access-log line'
      : `${count(records.length, 'line')}${unparsed.length > 0 ? `, ${unparsed.length} unreadable` : ''}`,
})

export const ztunnelLog = defineProbe({
  name: 'ztunnelLog',
  roles: ['ztunnel'],
  title: 'what the ztunnels logged',
  layer: 'ambient-ztunnel',
  needsExec: false,
  plan(situation) {
    if (!endsAreKnown(situation, 'ztunnel')) return waitFor('the ztunnels', ...endTellers(situation))
    if (situation.mode !== 'ambient' && situation.mode !== 'mixed') return nothing
    const since = situation.given.since ? [`--since=${situation.given.since}`] : []
    return ask(
      ...situation.ztunnels.map((pod) =>
        podTarget(pod, kubectl('logs', pod.name, '-n', pod.namespace, tail, ...since)),
      ),
    )
  },
  read: ({ stdout }) => ztunnelLogParser.parse(stdout),
  learned: ({ records }) => {
    const errors = records.filter(({ error }) => error !== null).length
    return `${count(records.length, 'connection')}, ${errors} failed`
  },
})

export const istiodLog = defineProbe({
  name: 'istiodLog',
  roles: ['mesh'],
  title: "istiod's log",
  layer: 'control-plane',
  needsExec: false,
  plan(situation) {
    if (!situation.isSettled('mesh.config')) return waitFor('the pods of istiod')
    const istiods = situation.pods.filter(
      (pod) => pod.labels.app === 'istiod' || pod.labels['app.kubernetes.io/name'] === 'istiod',
    )
    return ask(
      ...istiods
        .slice(0, 3)
        .map((pod) => podTarget(pod, kubectl('logs', pod.name, '-n', pod.namespace, '-c', 'discovery', '--tail=5000'))),
    )
  },
  read: ({ stdout }) => istiodLogParser.parse(stdout),
  learned: (data) => `${count(data.entries.length, 'line')} that may matter`,
})
