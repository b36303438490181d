import type { Given, SymptomId, Target } from '../../model/call.ts'
import type { PickRow } from '../components/PickList.tsx'
import { type Line, line, span } from '../lines.ts'
import type { Backend, ClusterFacts, Listing, SymptomItem, WorkloadItem } from '../ports.ts'
import { count, symptomWords, targetText } from './wording.ts'

export type FirstChoice =
  | { readonly do: 'symptom'; readonly id: SymptomId }
  | { readonly do: 'paste' | 'demos' | 'recordings' | 'archive' | 'explain' | 'reconnect' | 'quit' }

/** What to do without a cluster, or instead of a walk. */
function otherWays(backend: Backend, facts: ClusterFacts | null): PickRow<FirstChoice>[] {
  const demos = backend.demos.length
  const row = (choice: Exclude<FirstChoice['do'], 'symptom'>, label: string, detail: string): PickRow<FirstChoice> => ({
    id: choice,
    label,
    detail,
    value: { do: choice },
  })
  return [
    row('paste', 'Paste a log line or curl -v', 'answers most questions by itself'),
    ...(demos > 0
      ? [row('demos', 'Demo: play a recorded incident', `${count(demos, 'incident')}, needs nothing else`)]
      : []),
    row('recordings', 'Open a recorded session', "walk it again with today's rules"),
    row('archive', 'Open a bug-report archive', 'istioctl bug-report, read offline'),
    row('explain', 'Explain a flag, a code, a word', 'UH, NR, IST0101, STALE, …'),
    ...(facts && !facts.reachable ? [row('reconnect', 'Try the cluster again', 'after a login, say')] : []),
  ]
}

/** The first question. Without a cluster, what works without one comes first. */
export function firstRows(backend: Backend, facts: ClusterFacts | null): PickRow<FirstChoice>[] {
  const symptoms = backend.symptoms.map(
    ({ id, title, says }): PickRow<FirstChoice> => ({
      id: `symptom-${id}`,
      label: title,
      detail: saysOf({ title, says }).slice(0, 3).join(', '),
      says: [id, ...says].join(' '),
      remark: facts && !facts.reachable ? 'needs a cluster' : null,
      value: { do: 'symptom', id },
    }),
  )
  const others = otherWays(backend, facts)
  return facts && !facts.reachable ? [...others, ...symptoms] : [...symptoms, ...others]
}

/** How people say it, without what the title says already. */
export function saysOf({ title, says }: Pick<SymptomItem, 'title' | 'says'>): readonly string[] {
  return says.filter((said) => said.toLowerCase() !== title.toLowerCase())
}

export function clusterLine(facts: ClusterFacts | null): Line {
  if (!facts) return [span('asking for the cluster …', 'dim')]
  if (!facts.reachable) return [span('no cluster', 'warn'), span(' · reads only', 'dim')]
  const parts = [
    facts.context ? `context ${facts.context}` : null,
    facts.istio ? `istio ${facts.istio}` : null,
    'reads only',
  ]
  return [span(parts.filter((part) => part !== null).join(' · '), 'dim')]
}

export function noClusterNotice(facts: ClusterFacts | null, width: number): Line[] {
  if (!facts || facts.reachable) return []
  return [
    line(
      span('? ', 'blind'),
      span('No cluster answers', 'strong'),
      facts.why ? `: ${facts.why.replace(/[.?!]+$/, '')}.` : '.',
      // Where every line counts, the list says it by itself.
      span(width < 60 ? '' : ' What works without one comes first; a walk would have nothing to look at.', 'dim'),
    ),
  ]
}

export type EndChoice =
  | { readonly do: 'target'; readonly target: Target; readonly item: WorkloadItem | null }
  | { readonly do: 'unknown' | 'outside' }

export type Ask = 'from' | 'host' | 'to'

/** Which questions a symptom leaves; from outside the cluster one asks for a host, and has no proxy of its own. */
export function asksOf(backend: Backend, symptom: SymptomId | undefined, isOutside: boolean): readonly Ask[] {
  const asks: readonly Ask[] = backend.symptoms.find(({ id }) => id === symptom)?.asks ?? ['from', 'to']
  return isOutside ? asks.flatMap((ask): Ask[] => (ask === 'from' ? ['host'] : [ask])) : asks
}

const unknownRow: PickRow<EndChoice> = {
  id: 'unknown',
  label: "I don't know",
  detail: 'the walk finds out what it can',
  pinned: true,
  value: { do: 'unknown' },
}

const outsideRow: PickRow<EndChoice> = {
  id: 'outside',
  label: 'outside the cluster',
  detail: 'through a gateway',
  says: 'ingress internet browser',
  pinned: true,
  value: { do: 'outside' },
}

/** Suspicious ones first, then as the cluster lists them. */
export function endRows(listing: Listing | null): PickRow<EndChoice>[] {
  const items = [...(listing?.items ?? [])]
  items.sort((a, b) => Number(b.suspicious !== null) - Number(a.suspicious !== null))
  return [...items.map(itemRow), unknownRow]
}

/** Gateways call for somebody outside: they stand in one line. */
export function callerRows(listing: Listing | null, isAnybody: boolean): PickRow<EndChoice>[] {
  const rows = endRows(
    listing && { ...listing, items: listing.items.filter(({ proxy }) => proxy !== 'gateway' || !isAnybody) },
  )
  return isAnybody ? [...rows.slice(0, -1), outsideRow, unknownRow] : rows
}

function itemRow(item: WorkloadItem): PickRow<EndChoice> {
  const name = item.namespace ? `${item.name}.${item.namespace}` : item.name
  const pods =
    item.pods === null
      ? null
      : item.ready !== null && item.ready < item.pods
        ? `${item.ready} of ${item.pods} pods ready`
        : item.kind === 'pod'
          ? null
          : count(item.pods, 'pod')
  const ports =
    item.ports.length > 0
      ? item.ports
          .slice(0, 4)
          .map(({ port }) => `:${port}`)
          .join(' ')
      : null
  const proxy = { sidecar: 'sidecar', ambient: 'ambient', none: 'no proxy', gateway: 'gateway', unknown: null }[
    item.proxy
  ]
  const detail = [item.kind, ports, pods, proxy, item.restarts].filter(
    (part) => part !== null && part !== item.suspicious,
  )
  return {
    id: `${item.kind}/${name}`,
    label: name,
    detail: detail.join(' · '),
    remark: item.suspicious && !detail.includes(item.suspicious) ? item.suspicious : null,
    tone: item.suspicious ? 'warn' : 'plain',
    value: { do: 'target', target: item.target, item },
  }
}

export function blindNotice(listing: Listing | null, waitedSeconds: number): Line[] {
  if (!listing) {
    const since = waitedSeconds >= 2 ? ` ${waitedSeconds} s, waiting for the API server` : ''
    return [
      line(span(`reading the list from the cluster …${since}`, 'dim'), span(' · a name can be typed meanwhile', 'dim')),
    ]
  }
  if (!listing.blind) return []
  const { reason, unlock } = listing.blind
  return [
    line(
      span('? ', 'blind'),
      `The list could not be read: ${reason.replace(/[.?!]+$/, '')}.`,
      span(' Type the name instead.', 'dim'),
    ),
    ...(unlock ? [line(span(`  ask for: ${unlock}`, 'dim'))] : []),
  ]
}

/** As if it had been typed so. */
export function atPort(target: Target, port: number): Target {
  return { ...target, port, text: `${target.text}:${port}` }
}

/** What is known already, in words: shown so that nobody wonders what is not asked. */
export function knownTexts(given: Partial<Given>): string[] {
  const texts = [
    given.symptom && given.symptom !== 'unknown' ? `symptom: ${symptomWords[given.symptom]}` : null,
    given.from ? `caller: ${targetText(given.from)}` : null,
    given.to ? `destination: ${targetText(given.to)}` : null,
    given.host ? `host: ${given.host}` : null,
    given.method || given.path ? `request: ${[given.method, given.path].filter(Boolean).join(' ')}` : null,
  ]
  return texts.filter((text) => text !== null)
}

/** Later words add to earlier ones; nothing said is lost. */
export function mergeGiven(before: Partial<Given>, more: Partial<Given>): Partial<Given> {
  const said = Object.entries(more).filter(
    ([, value]) => value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0),
  )
  const merged: Partial<Given> = { ...before, ...Object.fromEntries(said) }
  const { symptom } = before
  return symptom && symptom !== 'unknown' && merged.symptom === 'unknown' ? { ...merged, symptom } : merged
}

export function withoutSymptom({ symptom: _, ...rest }: Partial<Given>): Partial<Given> {
  return rest
}
