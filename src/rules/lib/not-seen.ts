import type { EvidenceKey } from '../../model/evidence.ts'
import { blind, quiet, type RuleOutcome, ruledOut } from '../../model/finding.ts'
import type { Line } from '../../situation/exchanges.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { ztunnelOfCall } from '../../situation/ztunnel-lines.ts'

const logKeys: readonly EvidenceKey[] = [
  'server.accessLog',
  'waypoint.accessLog',
  'gateway.accessLog',
  'ztunnel.ztunnelLog',
]

/**
 * What a rule answers that reads the refuser's line and found nothing. A line nearest to the application eliminates; a line
 * of the caller's side alone does not, and a log that could not be read leaves the rule blind.
 */
export function notSeen(situation: Situation, line: Line | null, because: string): RuleOutcome {
  if (line && line.role !== 'client') return ruledOut(because, quoteLine(line, 'no policy refused it here'))
  if (line && line.record.details !== null && line.record.details !== 'via_upstream')
    return ruledOut(because, quoteLine(line, 'the caller’s own proxy ended it, before any policy of the destination'))
  const refused = ztunnelOfCall(situation).find(({ record }) => record.error !== null)
  if (refused)
    return ruledOut(because, quote(refused.entry, 'what ztunnel logged', refused.record.raw, refused.record.line))
  // Only a refusal is hidden by a missing log; other symptoms have their own lines.
  if (situation.symptom !== '403' && situation.symptom !== '401') return quiet
  const missing = logKeys.filter((key) => situation.missing(key).length > 0)
  const isBlind = missing.length > 0 && !logKeys.some((key) => situation.has(key))
  return isBlind ? blind(missing, situation.missing(missing[0] ?? 'server.accessLog')[0]?.unlock ?? null) : quiet
}
