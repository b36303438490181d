import { fired, quiet } from '../../model/finding.ts'
import { pathOnly } from '../../situation/exchanges.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { failingLines } from '../lib/deciding-line.ts'
import { looseFix } from '../lib/policy-fix.ts'
import { rawLines } from '../lib/raw-lines.ts'
import { otherRefusal, refusalNeeds } from '../lib/specific-miss.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

/** Browsers ask with OPTIONS first and send no token with it. A policy that wants one refuses the question. */
export default defineRule({
  code: 'cors-preflight-rejected',
  layer: 'authz',
  severity: 'error',
  explains: ['401', '403', 'unknown'],
  title: 'The browser’s preflight is refused',
  why: 'Before a request from another origin a browser sends OPTIONS without credentials. If that is refused, it never sends the request itself.',
  needs: refusalNeeds,
  check(situation) {
    const [line] = failingLines(
      situation,
      ({ record }) =>
        record.method === 'OPTIONS' && /^(rbac_access_denied|jwt_authn_access_denied)/.test(record.details ?? ''),
    ).slice(-1)
    if (!line || line.role === 'given' || line.role === 'client')
      return otherRefusal(situation, 'what was refused is no OPTIONS request')
    const other = otherMethods(situation, line.role, line.record.path)
    // Where other methods fail as well, it is no matter of preflights.
    if (!other) return quiet
    return fired({
      subject: destinationName(situation),
      title: `only OPTIONS is refused at ${destinationName(situation)}: browsers cannot get past their preflight`,
      statement: `OPTIONS ${line.record.path ?? ''} was refused (${line.record.details}), while ${other.record.method} on the same path got ${other.record.code}.`,
      certainty: 'proven',
      supporting: [
        quoteLine(line, 'the preflight was refused'),
        quote(other.entry, 'another method on the same path passed', other.record.raw, other.record.line),
      ],
      contradicting: [],
      fix: looseFix(
        `Answer preflights before policies are asked: a corsPolicy on the route at the gateway; or allow method OPTIONS on these paths by a rule of its own. Leave the rules for other methods.`,
        'preflights of this host',
        'OPTIONS without a token is answered for everybody; it carries no data',
      ),
      verify: tryAgain(situation, '200 or 204 for OPTIONS with Origin and Access-Control-Request-Method'),
      wouldDecide: null,
      about: 'call',
    })
  },
})

function otherMethods(situation: Situation, role: 'server' | 'waypoint' | 'gateway', path: string | null) {
  const same = rawLines(situation, role).filter(
    ({ record }) =>
      record.method !== null &&
      record.method !== 'OPTIONS' &&
      path !== null &&
      record.path !== null &&
      pathOnly(record.path) === pathOnly(path),
  )
  return same.findLast(({ record }) => record.code !== null && record.code > 0 && record.code < 400) ?? null
}
