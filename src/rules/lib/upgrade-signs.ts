import type { Quote } from '../../model/evidence.ts'
import type { Exchange, Line } from '../../situation/exchanges.ts'
import type { PodView } from '../../situation/pods.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { istiods } from './istiods.ts'
import { containersOf } from './pod-facts.ts'
import { minorOf, proxyVersionOf } from './proxy-versions.ts'
import { proxiesOnTheWay } from './sync-state.ts'

/** The version of a pod's proxy: as istiod knows it, else by its image. */
export function versionOf(
  situation: Situation,
  pod: PodView,
): { readonly version: string; readonly quote: Quote } | null {
  const sync = situation.sync(pod)
  if (sync?.version)
    return {
      version: sync.version,
      quote: quote(sync.entry, `version of ${pod.name}`, `${sync.proxy} ${sync.version}`),
    }
  const version = proxyVersionOf(pod.object)
  return version ? { version, quote: quote(pod.entry, `image of the proxy of ${pod.name}`, version) } : null
}

/** When istiod's present containers began, and what they run. */
export function istiodStarts(situation: Situation) {
  return istiods(situation).flatMap((pod) =>
    containersOf(pod).flatMap(({ name, init, spec, status }) => {
      const at: unknown = status?.state?.running?.startedAt
      const version = /:v?(\d+\.\d+(?:\.\d+)?)(?:[-@].*)?$/.exec(spec?.image ?? '')?.[1]
      return !init && name === 'discovery' && typeof at === 'string' && version ? [{ pod, at, version }] : []
    }),
  )
}

function timeOf({ time }: Exchange): number {
  return Date.parse(time ?? '')
}

function lineOf({ client, gateway, waypoint, server }: Exchange): Line | null {
  return client ?? gateway ?? waypoint ?? server
}

export interface Sign {
  readonly said: string
  readonly quotes: readonly Quote[]
}

/** It passed before istiod of a newer version began, and has failed ever since: by the lines themselves. */
export function failsSinceUpgrade(situation: Situation): Sign | null {
  const { failing, passing } = situation
  const first = failing.reduce<Exchange | null>((best, one) => (best && timeOf(best) <= timeOf(one) ? best : one), null)
  const last = passing.reduce<Exchange | null>((best, one) => (best && timeOf(best) >= timeOf(one) ? best : one), null)
  const [failed, passed] = [first && lineOf(first), last && lineOf(last)]
  if (!first || !last || !failed || !passed) return null
  const started = istiodStarts(situation).find(({ at }) => {
    const start = Date.parse(at)
    return timeOf(last) < start && start <= timeOf(first)
  })
  // A start alone may be any restart: some proxy must still show the version before it.
  const old = started
    ? proxiesOnTheWay(situation)
        .flatMap((pod) => versionOf(situation, pod) ?? [])
        .find(({ version }) => minorOf(version) < minorOf(started.version))
    : undefined
  if (!started || !old) return null
  return {
    said: `The last request passed at ${last.time}, istiod ${started.version} began at ${started.at}, and the first request failed at ${first.time}.`,
    quotes: [
      quoteLine(passed, 'the last one that passed'),
      quote(started.pod.entry, 'when the present istiod began', `${started.version} startedAt ${started.at}`),
      quoteLine(failed, 'the first one that failed'),
      old.quote,
    ],
  }
}

export interface Minors {
  readonly minor: number
  readonly version: string
  readonly failing: readonly Line[]
  readonly passing: readonly Line[]
  readonly quote: Quote
}

/** The lines of this call by the version of the proxies that wrote them on one side, oldest first. */
export function linesByMinor(situation: Situation, role: 'client' | 'server' | 'gateway'): readonly Minors[] {
  const groups = new Map<number, { version: string; failing: Line[]; passing: Line[]; quote: Quote }>()
  const add = (exchange: Exchange, how: 'failing' | 'passing') => {
    const line = exchange[role]
    const own = line?.pod ? versionOf(situation, line.pod) : null
    if (!line || !own) return
    const minor = minorOf(own.version)
    const group = groups.get(minor) ?? { version: own.version, failing: [], passing: [], quote: own.quote }
    group[how].push(line)
    groups.set(minor, group)
  }
  for (const exchange of situation.failing) add(exchange, 'failing')
  for (const exchange of situation.passing) add(exchange, 'passing')
  return [...groups].map(([minor, group]) => ({ minor, ...group })).sort((a, b) => a.minor - b.minor)
}
