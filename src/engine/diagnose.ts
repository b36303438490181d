import type { Certainty } from '../model/answered-by.ts'
import type { SymptomId } from '../model/call.ts'
import type { AnsweredBy, Cause, Diagnosis, NextStep, NotChecked, RuledOut, VerdictKind } from '../model/diagnosis.ts'
import type { EvidenceEntry, Quote } from '../model/evidence.ts'
import type { AnyRule, RuleOutcome } from '../model/finding.ts'
import type { Layer } from '../model/layer.ts'

export interface DiagnoseInput {
  /** What is to be explained: as given, or as seen where nobody named it. */
  readonly symptoms: readonly SymptomId[]
  /** `web.shop → ledger.pay:8080`, for sentences. */
  readonly callText: string
  readonly rules: readonly AnyRule[]
  readonly outcomes: ReadonlyMap<string, RuleOutcome>
  readonly entries: readonly EvidenceEntry[]
  readonly answeredBy: AnsweredBy
  readonly observed: readonly Quote[]
  /** True: the symptom was seen with our own eyes. False: nothing like it in what we read. */
  readonly symptomSeen: boolean
  /** What a probe is about, for "not checked". */
  readonly probeInfo: (probe: string) => { title: string; layer: Layer; isOptional?: boolean } | null
  /** The end of the walk, when it did not end by itself. */
  readonly cutShort: string | null
  /** Things that could not be established at all: an end of the call that was not found. */
  readonly unresolved: readonly NotChecked[]
  /** Whoever cannot conclude says what stays open and which command reads on. */
  readonly nextLook: { readonly gap: NotChecked; readonly step: NextStep }
  /** Which request a quoted line of a log is about; null where that cannot be told. */
  readonly requestOf: (quote: Quote) => string | null
}

/** The order in which decisions bite on the way of a request, from the caller to the application. */
const bite: readonly Layer[] = [
  'client',
  'dns',
  'lifecycle',
  'injection',
  'cni',
  'control-plane',
  'control-plane-ca',
  'upgrade',
  'control-plane-xds',
  'lb-edge',
  'gateway-edge',
  'gateway-tls',
  'gateway-api',
  'gateway-routing',
  'client-sidecar-listener',
  'egress-policy',
  'client-sidecar-routing',
  'client-sidecar-cluster',
  'kubernetes-endpoints',
  'egress',
  'multicluster',
  'network',
  'ambient-ztunnel',
  'ambient-waypoint',
  'transport-mtls',
  'protocol',
  'proxy-limit',
  'extension',
  'ext-authz',
  'request-authn',
  'authz',
  'rate-limit',
  'probes',
  'proxy-resource',
  'app',
  'observability',
]

const strength: Record<Certainty, number> = { proven: 0, likely: 1, possible: 2 }

/** Chooses, among what is true, what explains *this* symptom on *this* call. */
export function diagnose(input: DiagnoseInput): Diagnosis {
  const all = collectHits(input)
  const explaining = all.filter(({ hit, explains }) => explains && hit.about !== 'aside')
  const now = dropConsequences(explaining.filter(({ hit }) => hit.about === 'call'))
  const proven = now.kept.filter(({ hit }) => hit.certainty === 'proven')
  const unproven = now.kept.filter(({ hit }) => hit.certainty !== 'proven')
  const next = explaining.filter(({ hit }) => hit.about === 'next')

  const chosen = proven.length > 0 ? [...proven, ...next] : unproven.length > 0 ? [...unproven, ...next] : []
  const causes = chosen.map(({ hit }) => hit).sort(proven.length > 0 ? byBite : byStrength)
  const chosenSet = new Set(chosen)
  const blindRules = blindOnes(input)
  const verdict = decideVerdict(input, proven.length, unproven.length, blindRules.length)

  // A suspicion that gives way to its cause is no finding of its own.
  const yielded = explaining.filter(
    (entry) => entry.hit.about === 'call' && entry.hit.certainty !== 'proven' && !now.kept.includes(entry),
  )
  const outshone: RuledOut[] =
    proven.length > 0
      ? [...unproven, ...yielded].map(({ hit }) => ({
          code: hit.code,
          layer: hit.layer,
          because: `${proven.map((cause) => cause.hit.code).join(' and ')} is proven and explains what was seen`,
          evidence: proven[0]?.hit.supporting.slice(0, 1) ?? [],
        }))
      : []
  // A cause that would only bite later, and things that are true but about something else.
  const others = all
    // What is merely possible is no finding: it counts only as a suspect of this symptom.
    .filter(
      (entry) =>
        !chosenSet.has(entry) &&
        !unproven.includes(entry) &&
        !yielded.includes(entry) &&
        entry.hit.certainty !== 'possible',
    )
    // What follows from a proven cause goes with it.
    .filter(({ yieldsTo }) => !proven.some(({ hit }) => yieldsTo.includes(hit.code)))
    .map(({ hit }) => hit)
    .sort(byBite)

  const notChecked = gapsOf(input, verdict, blindRules)
  return {
    verdict,
    summary: summarise(input, verdict, causes, notChecked),
    answeredBy: input.answeredBy,
    causes: verdict === 'cause' || verdict === 'suspects' ? causes : [],
    otherFindings: others,
    ruledOut: [...ruledOutOnes(input), ...outshone].filter(({ code }) => !causes.some((cause) => cause.code === code)),
    notChecked,
    nextSteps: nextSteps(input, verdict, causes, notChecked),
    observed: input.observed,
  }
}

interface Candidate {
  readonly hit: Cause
  readonly explains: boolean
  readonly yieldsTo: readonly string[]
}

function collectHits(input: DiagnoseInput): Candidate[] {
  const found: Candidate[] = []
  for (const rule of input.rules) {
    const outcome = input.outcomes.get(rule.code)
    if (outcome?.status !== 'fired') continue
    for (const hit of outcome.hits) {
      const explains = explainsAny(rule, input.symptoms)
      found.push({
        hit: {
          ...hit,
          code: rule.code,
          layer: hit.layer ?? rule.layer,
          why: rule.why,
          severity: rule.severity,
          seeAlso: rule.seeAlso ?? [],
        },
        explains,
        yieldsTo: rule.yieldsTo ?? [],
      })
    }
  }
  return found
}

/** A consequence yields to its cause, unless the cause is the less certain of the two. */
function dropConsequences(candidates: readonly Candidate[]): { kept: Candidate[] } {
  const kept = candidates.filter(
    (one) =>
      !candidates.some(
        (other) =>
          other !== one &&
          one.yieldsTo.includes(other.hit.code) &&
          strength[other.hit.certainty] <= strength[one.hit.certainty],
      ),
  )
  return { kept }
}

export function explainsAny(rule: AnyRule, symptoms: readonly SymptomId[]): boolean {
  return rule.explains.some((symptom) => symptoms.includes(symptom))
}

function blindOnes(input: DiagnoseInput) {
  return input.rules.flatMap((rule) => {
    const outcome = input.outcomes.get(rule.code)
    const relevant = explainsAny(rule, input.symptoms)
    return outcome?.status === 'blind' && relevant ? [{ rule, outcome }] : []
  })
}

/** A rule that had nothing to ask: no command failed, so nothing else says why the walk cannot conclude. */
function gapOf({ rule, outcome }: ReturnType<typeof blindOnes>[number]): NotChecked {
  return {
    what: `whether ${rule.code} is the cause`,
    layer: rule.layer,
    reason: `it needs ${outcome.missing.join(', ')}, and there was nobody to ask`,
    unlock: outcome.unlock ?? 'name both ends of the call with --from and --to',
  }
}

function decideVerdict(input: DiagnoseInput, proven: number, unproven: number, blindCount: number): VerdictKind {
  if (proven > 0) return 'cause'
  if (unproven > 0) return 'suspects'
  const unread = input.entries.some(
    ({ status, probe }) => status === 'missing' && input.probeInfo(probe)?.isOptional !== true,
  )
  // Something was seen to fail and nothing explains it, something could not be looked at, or the walk was cut short.
  if (input.symptomSeen || unread || blindCount > 0 || input.cutShort !== null || input.unresolved.length > 0)
    return 'inconclusive'
  return 'clean'
}

function ruledOutOnes(input: DiagnoseInput): RuledOut[] {
  return input.rules.flatMap((rule) => {
    const outcome = input.outcomes.get(rule.code)
    if (outcome?.status !== 'ruled-out' || outcome.evidence.length === 0 || !explainsAny(rule, input.symptoms))
      return []
    return [{ code: rule.code, layer: rule.layer, because: outcome.because, evidence: outcome.evidence }]
  })
}

/** A walk that cannot conclude names at least one gap: a command that failed, a blind rule, or where to look on. */
function gapsOf(input: DiagnoseInput, verdict: VerdictKind, blindRules: ReturnType<typeof blindOnes>): NotChecked[] {
  const gaps = [...input.unresolved, ...whatWasNotChecked(input)]
  if (verdict !== 'inconclusive' || gaps.length > 0) return gaps
  return blindRules.length > 0 ? blindRules.map(gapOf) : [input.nextLook.gap]
}

function whatWasNotChecked(input: DiagnoseInput): NotChecked[] {
  const seen = new Set<string>()
  const list: NotChecked[] = []
  for (const entry of input.entries) {
    if (entry.status !== 'missing') continue
    const info = input.probeInfo(entry.probe)
    const what = `${info?.title ?? entry.probe} (${entry.subject})`
    if (seen.has(what)) continue
    seen.add(what)
    list.push({
      what,
      layer: info?.layer ?? 'observability',
      reason: entry.detail || (entry.reason ?? 'could not be read'),
      unlock: entry.unlock ?? unlockFor(entry.reason),
    })
  }
  if (input.cutShort)
    list.push({
      what: 'the rest of the walk',
      layer: 'observability',
      reason: input.cutShort,
      unlock: 'run again, with a larger --budget if time ran out',
    })
  return list
}

function unlockFor(reason: string | null): string {
  switch (reason) {
    case 'timed-out':
      return 'run again; raise --budget if the cluster is far away'
    case 'canceled':
      return 'run again and let the command finish'
    case 'not-recorded':
      return 'record a new session on the living mesh'
    case 'not-found':
      return 'name the pod, service or namespace'
    default:
      return 'run the command by hand and read what it says'
  }
}

function summarise(
  input: DiagnoseInput,
  verdict: VerdictKind,
  causes: readonly Cause[],
  notChecked: readonly NotChecked[],
): string {
  const [first, second] = causes
  switch (verdict) {
    case 'cause': {
      const more = causes.slice(1).map((cause, index) => {
        const how = joint(input, causes, index)
        return `${how === '' ? '; ' : `. ${how}`}${endWithoutStop(cause.title)}`
      })
      return `${endWithoutStop(sentence(first?.title ?? ''))}${more.join('')}.`
    }
    case 'suspects':
      if (first && !second)
        return `${sentence(`${first.certainty === 'likely' ? 'Likely' : 'Possibly'}: ${endWithoutStop(first.title)}`)} ${first.wouldDecide ? `Not proven; what decides: ${endWithoutStop(first.wouldDecide.why)}.` : 'Not proven: the deciding evidence could not be read.'}`
      return sentence(
        `Undetermined between ${causes
          .slice(0, 3)
          .map((cause) => endWithoutStop(cause.title))
          .join(', or ')}`,
      )
    case 'clean':
      return sentence(`Nothing on the way of ${input.callText} explains it, and everything needed was looked at`)
    case 'inconclusive': {
      const gap = notChecked[0]
      const seen = input.symptomSeen
        ? 'The symptom was seen, but nothing that could be read explains it'
        : `Nothing was found for ${input.callText}, but not everything could be looked at`
      return sentence(gap ? `${seen}: ${gap.what} could not be read, ${endWithoutStop(gap.reason)}` : seen)
    }
  }
}

/** How a further cause stands to the first: behind it on the same way, beside it, or at requests of its own. */
function joint({ requestOf }: DiagnoseInput, [first, ...later]: readonly Cause[], index: number): string {
  const cause = later[index]
  if (!first || !cause) return ''
  const before = later[index - 1]
  const requests = ({ supporting }: Cause) => new Set(supporting.flatMap((quote) => requestOf(quote) ?? []))
  const [own, others] = [requests(cause), requests(first)]
  if (cause.about === 'next') return before?.about === 'next' ? '' : 'And then: '
  const isApart = own.size > 0 && others.size > 0 && [...own].every((request) => !others.has(request))
  if (isApart) return `And for other requests (${[...own].slice(0, 2).join(', ')}): `
  return before ? '' : 'Also: '
}

function nextSteps(
  { nextLook }: DiagnoseInput,
  verdict: VerdictKind,
  causes: readonly Cause[],
  notChecked: readonly NotChecked[],
): NextStep[] {
  const steps: NextStep[] = []
  for (const cause of causes) {
    if (verdict === 'suspects' && cause.wouldDecide)
      steps.push({
        command: cause.wouldDecide.command,
        statement: null,
        because: cause.wouldDecide.why,
        effect: 'reads',
      })
  }
  const [first] = causes
  if (verdict === 'cause' && first) {
    steps.push({
      command: null,
      statement: first.fix.statement,
      because: `it is the smallest change that removes ${first.code}`,
      effect: 'changes',
    })
    steps.push({
      command: first.verify.command,
      statement: null,
      because: `expect: ${first.verify.expect}`,
      effect: /\bcurl\b/.test(first.verify.command) ? 'sends-traffic' : 'reads',
    })
  }
  if (verdict === 'inconclusive') {
    // A gap that only repeats the command below is said there.
    for (const gap of notChecked.slice(0, 3).filter(({ unlock }) => unlock !== nextLook.step.command))
      steps.push({
        command: null,
        statement: gap.unlock,
        because: `${gap.what} could not be looked at`,
        effect: 'reads',
      })
    steps.push(nextLook.step)
  }
  // Two causes may want the same command.
  return steps.filter(
    (step, index) =>
      steps.findIndex((other) => other.command === step.command && other.statement === step.statement) === index,
  )
}

function byBite(a: Cause, b: Cause): number {
  const about = Number(a.about === 'next') - Number(b.about === 'next')
  return about || bite.indexOf(a.layer) - bite.indexOf(b.layer) || (a.code < b.code ? -1 : 1)
}

function byStrength(a: Cause, b: Cause): number {
  return strength[a.certainty] - strength[b.certainty] || byBite(a, b)
}

function endWithoutStop(text: string): string {
  return text.trim().replace(/\.$/, '')
}

function sentence(text: string): string {
  const trimmed = endWithoutStop(text)
  if (trimmed === '') return ''
  // Names keep their spelling: `web.shop` is not `Web.shop`.
  const isWord = /^[a-z]+(?:[\s,:]|$)/.test(trimmed)
  return `${isWord ? trimmed.charAt(0).toUpperCase() : trimmed.charAt(0)}${trimmed.slice(1)}.`
}
