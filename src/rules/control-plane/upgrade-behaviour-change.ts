import { fired, quiet, ruledOut } from '../../model/finding.ts'
import { quote, quoteLine, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { hit } from '../lib/hit.ts'
import { failsSinceUpgrade, linesByMinor, type Minors, type Sign } from '../lib/upgrade-signs.ts'
import { destinationName, plural, tryAgain } from '../lib/words.ts'

const changed =
  /^The configuration "(.+?)" changed in release (\S+?)(?:,|:) ([\s\S]*?)(?: Or, install with `--set compatibilityVersion=(\S+?)`|$)/

const sides = ['client', 'gateway', 'server'] as const

/** The YAML is the same, the release is not: a default that this call leaned on is another one now. */
export default defineRule({
  code: 'upgrade-behaviour-change',
  layer: 'upgrade',
  severity: 'warning',
  explains: ['404', '502', '503', '504', 'reset', 'tls', 'timeout'],
  title: 'A new release has another default, and this call leaned on the old one',
  why: 'Minor releases change defaults: certificates are verified at the caller, SNI is set, retries of 503 differ. Configuration that relied on the old default fails without having been touched.',
  // Speaks only when a message, the moment or the versions say so; who sees none of them has nothing to report.
  needs: [],
  seeAlso: [
    'https://istio.io/latest/docs/releases/feature-stages/',
    'https://istio.io/latest/docs/setup/additional-setup/compatibility-versions/',
  ],
  applies: ({ failing }) => failing.length > 0,
  check(situation) {
    const groups = sides.map((side) => linesByMinor(situation, side)).filter((one) => one.length > 1)
    const told = messagesAbout(situation)
    const split = groups.flatMap((one) => onlyNewFails(one) ?? [])[0] ?? null
    // Older proxies that fail as well never saw the new default of proxies; a message about istiod's own may still hold.
    const older = groups.find(
      ([oldest, ...rest]) => oldest && oldest.failing.length > 0 && rest.some(({ failing }) => failing.length > 0),
    )
    const moment = older ? null : failsSinceUpgrade(situation)
    if (older && !split && told.length === 0) {
      const [oldest] = older
      const line = oldest?.failing.at(-1)
      if (oldest && line)
        return ruledOut(
          `proxies of ${oldest.version} fail as the newer ones do`,
          oldest.quote,
          quoteLine(line, 'it fails at an older proxy too'),
        )
    }
    const signs = [split, moment].filter((sign): sign is Sign => sign !== null)
    const [message] = told
    if (!message && signs.length === 0) return quiet
    const parts = message ? changed.exec(message.message) : null
    const compatible = parts?.[4] ?? null
    const certain = message?.code === 'IST0169' && signs.length > 0
    return fired(
      hit({
        subject: parts?.[1] ?? destinationName(situation),
        title: parts
          ? `Default ${parts[1]} changed in release ${parts[2]}, and ${destinationName(situation)} may have leaned on the old one`
          : `Calls to ${destinationName(situation)} fail with the new version and not with the old one`,
        statement: [
          ...(message ? [`istioctl reports ${message.code}: ${message.message}`] : []),
          ...signs.map(({ said }) => said),
          ...(message ? [] : ['Which default it is was not seen.']),
        ].join(' '),
        // Neither a message nor a moment shows what the failing request met: at most likely.
        certainty: certain ? 'likely' : 'possible',
        supporting: [
          ...(message ? [quote(message.entry, 'a default that changed', `${message.code} ${message.message}`)] : []),
          ...signs.flatMap(({ quotes }) => quotes),
        ],
        wouldDecide: {
          command: 'istioctl x precheck --from-version OLD.MINOR',
          why: parts
            ? 'whether the message still stands, and what else changed; one workload with the old default would show the difference'
            : 'it lists defaults that changed since the version before and that this installation is affected by',
        },
        fix: {
          statement: compatible
            ? `Keep the old default for now: set compatibilityVersion=${compatible} in istiod's values, then say in the objects of ${destinationName(situation)} what they relied on and take it out again.`
            : `Find the changed default in the upgrade notes and say in the objects of ${destinationName(situation)} what they relied on; leave the rest of them alone.`,
          commands: [],
          scope: compatible ? 'every proxy of that control plane' : destinationName(situation),
          risk: compatible
            ? 'other new defaults of that release are held back, too'
            : 'none beyond the object that is changed',
          undo: compatible ? 'remove compatibilityVersion again' : 'put the object back',
        },
        verify: tryAgain(situation, 'the same answer as before the upgrade'),
      }),
    )
  },
})

/** Messages about changed defaults whose object this call uses, or that name no object: then they hold for all. */
function messagesAbout(situation: Situation) {
  const { server, client, gateway, store } = situation
  const service = server.service?.object.metadata
  const pods = [...client.pods, ...server.pods, ...(gateway?.pods ?? [])]
  const rules = store.list('DestinationRule').filter(({ object }) => {
    const host: unknown = object.spec?.host
    if (typeof host !== 'string' || server.host === null) return false
    const full = host.includes('.') ? host : `${host}.${object.metadata.namespace}`
    return server.host === full || server.host.startsWith(`${full}.`)
  })
  return situation.analyze
    .filter(({ code, origin }) => {
      if (code !== 'IST0168' && code !== 'IST0169') return false
      if (origin === null || origin.name === null) return true
      const is = (kind: string, one: { name: string; namespace?: string } | undefined) =>
        one !== undefined && origin.kind === kind && origin.name === one.name && origin.namespace === one.namespace
      return (
        is('Service', service) ||
        pods.some((pod) => is('Pod', pod)) ||
        rules.some(({ object }) => is('DestinationRule', object.metadata as { name: string; namespace?: string }))
      )
    })
    .sort((a, b) => (a.code > b.code ? -1 : a.code < b.code ? 1 : 0))
}

/** Old proxies pass and only newer ones fail, on the same side of the same call. */
function onlyNewFails(groups: readonly Minors[]): Sign | null {
  const newest = groups.at(-1)
  const [oldest] = groups
  const failed = newest?.failing.at(-1)
  const passed = oldest?.passing.at(-1)
  if (!newest || !oldest || !failed || !passed) return null
  if (newest.passing.length > 0 || groups.slice(0, -1).some(({ failing }) => failing.length > 0)) return null
  return {
    said: `${plural(newest.failing.length, 'request')} failed at proxies of ${newest.version}, and none passed there; ${plural(oldest.passing.length, 'request')} passed at proxies of ${oldest.version}, and none failed.`,
    quotes: [
      newest.quote,
      quoteLine(failed, `it fails at a proxy of ${newest.version}`),
      oldest.quote,
      quoteLine(passed, `it passes at a proxy of ${oldest.version}`),
    ],
  }
}
