import { attachment } from '../../mesh/policy-attachment.ts'
import type { Quote } from '../../model/evidence.ts'
import { fired, type Hit, quiet, ruledOut } from '../../model/finding.ts'
import type { LogData } from '../../situation/exchanges.ts'
import type { Stored } from '../../situation/objects.ts'
import type { PodView } from '../../situation/pods.ts'
import { workloadOf } from '../../situation/security.ts'
import { quote, quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'

/** Silence that was configured: a log without lines is then no sign of missing traffic. */
export default defineRule({
  code: 'accesslog-disabled',
  layer: 'observability',
  severity: 'warning',
  explains: [],
  title: "The destination's proxy writes no access log",
  why: 'Without the line of the proxy that decided, a refusal by policy and an answer of the application look the same.',
  needs: ['server.accessLog', 'server.config', 'mesh.meshConfig'],
  seeAlso: ['https://istio.io/latest/docs/tasks/observability/logs/access-log/'],
  applies: ({ server }) => server.pods.some(({ hasEnvoy }) => hasEnvoy),
  check(situation) {
    const logs = situation.all<LogData>('server.accessLog')
    for (const { data, entry } of logs) {
      const line = data.records.find(
        ({ upstreamCluster, kind }) => upstreamCluster?.startsWith('inbound') || kind === 'tcp',
      )
      if (line)
        return ruledOut(
          'the destination’s proxy does log what it receives',
          quote(entry, 'a line of incoming traffic', line.raw, line.line),
        )
    }
    const silent = situation.server.pods.find((pod) => pod.hasEnvoy && logs.some(({ name }) => name === pod.name))
    if (!silent) return quiet
    const off = switchedOff(situation, silent)
    if (!off) return quiet
    const log = logs.find(({ name }) => name === silent.name)
    return fired(
      hit(
        situation,
        silent,
        off,
        log
          ? [quote(log.entry, `the log of ${silent.name}.${silent.namespace} holds no line about incoming traffic`)]
          : [],
      ),
    )
  },
})

interface Off {
  readonly because: string
  readonly telemetry: Stored | null
  readonly quotes: readonly Quote[]
}

/** What switches it off: the nearest Telemetry about access logs, else the mesh configuration. */
function switchedOff(situation: Situation, pod: PodView): Off | null {
  const { mesh, meshEntry } = situation
  const telemetry = nearestTelemetry(situation, pod)
  const defaults = mesh.defaultProviders.accessLogging ?? []
  if (telemetry) {
    const settings = loggingOf(telemetry).filter(({ match }) => match?.mode === undefined || match.mode !== 'CLIENT')
    // `disabled` without providers only takes providers away that are there by default.
    const disabled = settings.find(
      ({ disabled: is, providers }) =>
        is === true && (mesh.accessLog.file === '' || (providers ?? []).length > 0 || defaults.length > 0),
    )
    const name = `Telemetry ${telemetry.object.metadata.namespace}/${telemetry.object.metadata.name}`
    if (disabled)
      return {
        because: `${name} says disabled: true`,
        telemetry,
        quotes: [quoteObject(telemetry, `${name} switches it off`, telemetry.object.spec?.accessLogging)],
      }
    const enables = settings.some(
      ({ disabled: is, providers, filter }) => is !== true && ((providers ?? []).length > 0 || filter !== undefined),
    )
    if (enables) return null
  }
  if (mesh.accessLog.file !== '' || defaults.length > 0 || meshEntry === null) return null
  return {
    because: 'accessLogFile is not set in the mesh configuration, and no Telemetry switches logging on',
    telemetry: null,
    quotes: [quote(meshEntry, 'the mesh configuration names no accessLogFile and no default provider')],
  }
}

interface Logging {
  readonly disabled?: boolean
  readonly providers?: readonly unknown[]
  readonly match?: { readonly mode?: string }
  readonly filter?: unknown
}

function loggingOf({ object }: Stored): readonly Logging[] {
  return Array.isArray(object.spec?.accessLogging) ? object.spec.accessLogging : []
}

/** A Telemetry of the workload wins over one of the namespace, and that over one of the root namespace. */
function nearestTelemetry(situation: Situation, pod: PodView): Stored | null {
  const rank = ({ object }: Stored) =>
    object.spec?.selector || object.spec?.targetRefs ? 0 : object.metadata.namespace === situation.rootNamespace ? 2 : 1
  const reaching = situation.store
    .list('Telemetry')
    .filter(
      (stored) =>
        loggingOf(stored).length > 0 && attachment(stored.object, workloadOf(pod), situation.mesh).attaches === true,
    )
  return [...reaching].sort((a, b) => rank(a) - rank(b))[0] ?? null
}

function hit({ given }: Situation, pod: PodView, { because, telemetry, quotes }: Off, more: readonly Quote[]): Hit {
  const { name, namespace } = telemetry?.object.metadata ?? {}
  return {
    subject: `access log of ${pod.name}.${pod.namespace}`,
    title: `the access log of ${pod.name}.${pod.namespace} is switched off`,
    statement: `${because}, so what its proxy decides leaves no line.`,
    certainty: 'proven',
    supporting: [...quotes, ...more],
    contradicting: [],
    fix: {
      statement: telemetry
        ? `While you search, switch access logging on for this workload only: a Telemetry with its selector and providers: [{name: envoy}] wins over ${namespace}/${name}, which stays as it is.`
        : `While you search, add a Telemetry in ${pod.namespace} with accessLogging: [{providers: [{name: envoy}]}].`,
      commands: [],
      scope: telemetry ? 'the workloads that the new selector fits' : `the proxies of namespace ${pod.namespace}`,
      risk: 'a line for every request: mind the volume and what stands in paths',
      undo: 'delete the added Telemetry',
    },
    verify: {
      command: `kubectl -n ${pod.namespace} logs ${pod.name} -c istio-proxy --since=1m${given.since ? '' : ' --tail=20'}`,
      expect: 'a line for every request that arrives',
    },
    wouldDecide: null,
    about: 'aside',
  }
}
