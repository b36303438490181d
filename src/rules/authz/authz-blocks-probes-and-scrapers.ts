import { fired, type Hit, quiet } from '../../model/finding.ts'
import { quote, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { allowMissOf } from '../lib/allow-miss.ts'
import { looseFix, policyFix, type policyName, quotePolicies } from '../lib/policy-fix.ts'
import { rawLines } from '../lib/raw-lines.ts'
import { refusalOf } from '../lib/refusal.ts'
import { otherRefusal, refusalNeeds } from '../lib/specific-miss.ts'
import { destinationName, tryAgain } from '../lib/words.ts'

const operational =
  /^(Prometheus|kube-probe|GoogleHC|ELB-HealthChecker|Amazon-Route53-Health|vm_promscrape|VictoriaMetrics|Grafana-?Agent|Alloy|OpenTelemetry-Collector|Blackbox[ -]Exporter|Consul Health Check|Uptime-Kuma|Datadog)/i
const missed = 'rbac_access_denied_matched_policy[none]'

/** Whoever writes an ALLOW list thinks of users; the default deny also covers those who watch. */
export default defineRule({
  code: 'authz-blocks-probes-and-scrapers',
  layer: 'authz',
  severity: 'error',
  explains: ['403', 'unknown'],
  title: 'The ALLOW list forgets a probe or scraper',
  why: 'An ALLOW policy denies everybody it does not name. The kubelet’s probes are redirected past the proxy’s policies; scrapers and health checks of others are not.',
  needs: refusalNeeds,
  check(situation) {
    const refusal = refusalOf(situation)
    const agent = refusal?.line?.record.userAgent ?? null
    if (
      refusal?.by === 'none' &&
      refusal.line &&
      agent !== null &&
      operational.test(agent) &&
      !usersFailToo(situation)
    ) {
      const miss = allowMissOf(situation, refusal)
      return fired(
        hit(
          situation,
          agent,
          refusal.line.record.path,
          [refusal.quote, ...quotePolicies(miss?.policies ?? [])],
          'call',
          miss?.policies[0] ?? null,
        ),
      )
    }
    const beside = rawLines(situation, 'server').find(
      ({ record }) => record.details === missed && operational.test(record.userAgent ?? ''),
    )
    if (beside) {
      const { record, entry } = beside
      return fired(
        hit(
          situation,
          record.userAgent ?? '',
          record.path,
          [quote(entry, 'a probe or scraper was refused', record.raw, record.line)],
          'aside',
          null,
        ),
      )
    }
    return refusal ? otherRefusal(situation, 'no probe or scraper was refused') : quiet
  },
})

function usersFailToo({ failing }: Situation): boolean {
  return failing.some(({ server }) => server !== null && !operational.test(server.record.userAgent ?? ''))
}

function hit(
  situation: Situation,
  agent: string,
  path: string | null,
  supporting: Hit['supporting'],
  about: Hit['about'],
  policy: Parameters<typeof policyName>[0] | null,
): Hit {
  const statement = `Add a rule for ${agent.split('/', 1)[0]}: its principal (or its namespace) with method GET and path ${path ?? 'of the check'}; leave the other rules.`
  const risk = 'a rule with a path alone lets everybody read it'
  return {
    subject: destinationName(situation),
    title: `the ALLOW list of ${destinationName(situation)} refuses ${agent}`,
    statement: `${agent} asked for ${path ?? 'its path'} and got 403 with "none": no ALLOW rule fits it.`,
    certainty: 'proven',
    supporting,
    contradicting: [],
    fix: policy ? policyFix(policy, statement, risk) : looseFix(statement, destinationName(situation), risk),
    verify: tryAgain(situation, `200 for ${agent}`),
    wouldDecide: null,
    about,
  }
}
