import type { AccessDecision } from '../mesh/access-decision.ts'
import type { ConsideredPolicy, Decider, Unknown } from '../mesh/authorize.ts'
import { modeWords } from './mtls-words.ts'
import type { NotRead } from './not-read.ts'
import { newPage, type Page, type PageOptions } from './page.ts'

/** One proxy on the way that has a say, and what it says. */
export interface DecisionPoint {
  readonly point: 'gateway' | 'waypoint' | 'server'
  /** Pods that decide alike, as `name.namespace`. */
  readonly pods: readonly string[]
  readonly enforcer: string
  /** Who the caller is to this proxy; `null`: plaintext, `undefined`: not known. */
  readonly principal: string | null | undefined
  /** `null`: its policies could not all be read. */
  readonly access: AccessDecision | null
}

export interface DecisionReport {
  readonly kind: 'AccessDecision'
  readonly schemaVersion: '1.0'
  readonly decision: AccessDecision['decision']
  readonly summary: string
  readonly request: {
    readonly from: string | null
    readonly to: string | null
    readonly method: string | null
    readonly path: string | null
    readonly host: string | null
    readonly port: number | null
    readonly protocol: string | null
  }
  readonly points: readonly DecisionPoint[]
  readonly unknowns: readonly Unknown[]
  readonly assumptions: readonly string[]
  readonly notRead: readonly NotRead[]
}

export const decisionSymbols = { allowed: '✓', denied: '✗', 'cannot-decide': '?' } as const
const tones = { allowed: 'good', denied: 'bad', 'cannot-decide': 'doubt' } as const

/** The first proxy on the way that says no decides; without one, the first that stays open keeps all open. */
export function decisive(points: readonly DecisionPoint[]): DecisionPoint | null {
  return (
    points.find(({ access }) => access?.decision === 'denied') ??
    points.find(({ access }) => access === null || access.decision === 'cannot-decide') ??
    points.at(-1) ??
    null
  )
}

export function overall(points: readonly DecisionPoint[]): AccessDecision['decision'] {
  const point = decisive(points)
  return point?.access?.decision ?? 'cannot-decide'
}

/** One sentence: the answer with the policy that gave it. */
export function decisionSummary(points: readonly DecisionPoint[]): string {
  const point = decisive(points)
  if (!point) return 'Cannot decide: no workload behind the destination is known'
  const { access } = point
  const where = point.point === 'server' ? '' : ` at the ${point.point}`
  if (access === null) return `Cannot decide: the policies${where} could not all be read`
  switch (access.decision) {
    case 'allowed':
      return `Allowed: ${allowedBecause(access)}`
    case 'cannot-decide':
      return `Cannot decide${where}: it depends on ${listed(access.unknowns.map(({ attribute }) => attributeWords(attribute)))}`
    case 'denied':
      return `Denied${where}: ${deniedBecause(access)}${someOnly(points, point)}`
  }
}

/** Pods behind one Service may differ in labels, and so in the policies that select them. */
function someOnly(points: readonly DecisionPoint[], point: DecisionPoint): string {
  const others = points.filter((other) => other !== point && other.point === point.point)
  if (others.length === 0 || others.every(({ access }) => access?.decision === 'denied')) return ''
  const all = points.filter((other) => other.point === point.point).flatMap(({ pods }) => pods).length
  return ` (${point.pods.length} of ${all} pods; the others decide otherwise)`
}

function allowedBecause({ authorization: { by } }: AccessDecision): string {
  return by?.policy ? `${ruleName(by)} lets it in` : by?.why || 'no policy attaches, so nothing is denied'
}

function deniedBecause(access: AccessDecision): string {
  switch (access.stage) {
    case 'peer-authentication':
      return `plaintext is refused (${modeWords(access.peer)})`
    case 'request-authentication': {
      const { rule, message } = access.authentication
      return `the token is refused${rule ? ` by RequestAuthentication ${rule.policy}` : ''}: ${message ?? 'no reason known'}`
    }
    case 'authorization':
    case null: {
      const { by } = access.authorization
      if (!by?.policy) return by?.why || 'no policy allows it'
      if (by.action === 'ALLOW' || by.ruleIndex === null)
        return `no rule of ${ruleName(by)} fits, and what no ALLOW rule fits is denied`
      return `${ruleName(by)} matches`
    }
  }
}

function ruleName({ policy, action, ruleIndex }: Decider): string {
  return `AuthorizationPolicy ${policy}${action ? ` (${action})` : ''}${ruleIndex === null ? '' : `, rule ${ruleIndex}`}`
}

const attributes: Readonly<Record<string, string>> = {
  protocol: 'whether the port speaks HTTP',
  method: 'the method',
  path: 'the path',
  host: 'the host',
  headers: 'the headers',
  sourcePrincipal: 'who the caller is',
  sourceIp: "the caller's address",
  remoteIp: "the original client's address",
  destinationPort: 'the port',
  jwt: "the caller's token",
  token: "the caller's token",
  service: 'the Service that is addressed',
  extAuthz: 'what the external authorizer says',
  labels: "the pods' labels",
}

function attributeWords(attribute: string): string {
  return attributes[attribute] ?? attribute
}

function listed(words: readonly string[]): string {
  const unique = [...new Set(words)]
  if (unique.length === 0) return 'something that is not known'
  if (unique.length === 1) return unique[0] ?? ''
  return `${unique.slice(0, -1).join(', ')} and ${unique.at(-1)}`
}

export function decisionText(report: DecisionReport, options: PageOptions = {}): string {
  const page = newPage(options)
  page.para(`${decisionSymbols[report.decision]} ${report.summary}`, '', '  ', tones[report.decision])
  page.para(requestLine(report), '  ', '    ')
  for (const point of report.points) writePoint(page, point, report.points.length > 1)
  if (report.unknowns.length > 0) {
    page.heading('Would settle it', 'doubt')
    for (const { attribute, wouldSettle } of report.unknowns) page.item(`${attribute}: ${wouldSettle}`, '?')
  }
  if (report.assumptions.length > 0) {
    page.heading('Assumed')
    for (const assumption of report.assumptions) page.item(assumption)
  }
  writeNotRead(page, report.notRead)
  return page.done()
}

export function writeNotRead(page: Page, notRead: readonly NotRead[]): void {
  if (notRead.length === 0) return
  page.heading('Not read', 'doubt')
  for (const { what, reason, unlock } of notRead) {
    page.item(`${what}: ${reason}`, '?')
    if (unlock) page.para(`unlock: ${unlock}`, '    ', '      ')
  }
}

function requestLine({ request }: DecisionReport): string {
  const { from, to, method, path, host, protocol } = request
  const said = [method ?? 'any method', path ?? 'any path'].join(' ')
  const what = protocol === 'tcp' ? 'a connection' : method === null && path === null ? 'a request' : said
  return `${what}${host ? ` with host ${host}` : ''}, ${from ?? 'an unknown caller'} → ${to ?? 'an unknown destination'}`
}

function writePoint(page: Page, point: DecisionPoint, several: boolean): void {
  const { access } = point
  const mark = several ? `${decisionSymbols[access?.decision ?? 'cannot-decide']} ` : ''
  page.heading(`${mark}${pointTitle(point)}`)
  if (access === null) {
    page.item('its policies could not all be read, so nothing is said about them', '?')
    return
  }
  page.field('Caller', principalWords(point.principal), 13)
  page.field('Transport', transportWords(point, access), 13)
  page.field('Token', tokenWords(access), 13)
  writePolicies(page, access)
  const seen = seenWords(access)
  if (seen !== null) page.field('Seen as', seen, 13)
  for (const line of logWords(access)) page.quote(line)
}

function pointTitle({ point, pods, enforcer }: DecisionPoint): string {
  const what = { gateway: 'At the gateway', waypoint: 'At the waypoint', server: 'At the destination' }[point]
  const more = pods.length > 2 ? ` and ${pods.length - 2} more` : ''
  return `${what}: ${pods.slice(0, 2).join(', ')}${more} (${enforcer})`
}

function principalWords(principal: string | null | undefined): string {
  if (principal === undefined) return 'not known'
  return principal ?? 'no identity: the connection is plaintext, or comes without a certificate of the mesh'
}

function transportWords({ point }: DecisionPoint, { peer, stage }: AccessDecision): string {
  // PeerAuthentication does not touch the listeners that Gateways make.
  if (point !== 'server') return `as the ${point} has it; PeerAuthentication has no say there`
  const refused = stage === 'peer-authentication' ? '; this call comes in plaintext and is refused here' : ''
  return `${modeWords(peer)}${refused}`
}

function tokenWords({ authentication }: AccessDecision): string {
  const attached = authentication.considered.filter(({ attaches }) => attaches !== false)
  if (attached.length === 0) return 'no RequestAuthentication attaches'
  const names = attached.map(({ policy }) => policy).join(', ')
  const rules = attached.flatMap(({ rules: own }) =>
    own.map(({ issuer, result }) => `${issuer || 'issuer not named'}: ${result}`),
  )
  const words = { pass: 'passes', reject: 'refused', 'cannot-decide': 'not decided' }[authentication.outcome]
  return `${words} at RequestAuthentication ${names} (${rules.join('; ')})`
}

const mostUnattached = 8

function writePolicies(page: Page, { authorization, stage }: AccessDecision): void {
  const { considered, by } = authorization
  const attached = considered.filter(({ attaches }) => attaches !== false)
  const others = considered.filter(({ attaches }) => attaches === false)
  page.field(
    'Policies',
    attached.length === 0 ? 'none attaches' : `${attached.length} of ${considered.length} attach`,
    13,
  )
  for (const policy of attached) writePolicy(page, policy, stage === 'authorization' || stage === null ? by : null)
  for (const { policy, action, why } of others.slice(0, mostUnattached))
    page.para(`· ${action} ${policy} does not attach: ${why}`, '    ', '      ', 'dim')
  if (others.length > mostUnattached)
    page.para(
      `· and ${others.length - mostUnattached} more that do not attach (all in -o json)`,
      '    ',
      '      ',
      'dim',
    )
  for (const other of authorization.alsoMatches) page.para(`· ${other} matches as well`, '    ', '      ')
  if (by && by.policy === null && by.why !== '') page.para(`⇒ ${by.why}`, '    ', '      ')
}

function writePolicy(page: Page, policy: ConsideredPolicy, by: Decider | null): void {
  const { attaches, dryRun, why, rules } = policy
  const decides = by !== null && by.policy === policy.policy
  const extra = `${dryRun ? ', dry run: enforces nothing' : ''}${attaches === 'unknown' ? ', perhaps' : ''}`
  page.para(
    `${decides ? '▸' : '·'} ${policy.action} ${policy.policy}${extra}: ${why}${decides ? ' ← decides' : ''}`,
    '    ',
    '      ',
    decides ? 'bold' : undefined,
  )
  if (rules.length === 0) page.para('no rules', '        ')
  for (const { index, result, because, dropped, ignoredFields } of rules) {
    const words = { match: 'matches', 'no-match': 'does not match', unknown: 'not decided' }[result]
    const notes = [
      ...(dropped ? ['the proxy does not have this rule'] : []),
      ...(ignoredFields.length > 0 ? [`cannot test ${ignoredFields.join(', ')}`] : []),
    ]
    page.para(
      `rule ${index} ${words}${because ? `: ${because}` : ''}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`,
      '        ',
      '          ',
    )
  }
}

/** What the caller gets, where it is certain. */
function seenWords({ decision, status, stage }: AccessDecision): string | null {
  if (decision !== 'denied') return null
  if (status !== null) return `HTTP ${status}; in the log of this proxy:`
  return stage === 'peer-authentication'
    ? 'a reset, or a 503 made by the proxy of the caller'
    : 'a denied connection, or a status that depends on what is not known'
}

function logWords({ decision, details, authorization, stage }: AccessDecision): readonly string[] {
  if (decision !== 'denied') return []
  return [
    ...(details === null ? [] : [details]),
    ...(stage === 'authorization' && authorization.ztunnelText ? [authorization.ztunnelText] : []),
  ]
}
