import { Option } from 'commander'
import type { Redact } from '../../exec/redact.ts'
import type { Given } from '../../model/call.ts'
import { UserError } from '../../model/errors.ts'
import type { EvidenceKey } from '../../model/evidence.ts'
import { type DecisionReport, decisionSummary, decisionText, decisive, overall } from '../../report/decision.ts'
import { documentJson } from '../../report/document-json.ts'
import type { NotRead } from '../../report/not-read.ts'
import { podLabel } from '../../situation/pods.ts'
import type { Situation } from '../../situation/situation.ts'
import { type AccessQuestion, accessStages, withoutWaypointPods } from '../access-stages.ts'
import { addCallOptions, type CallFlags, callOf } from '../call-flags.ts'
import { collectSituation, lookingTools, notReadOf, refuseNothing } from '../collect-situation.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import { pageOptions } from '../page-options.ts'
import type { CliCommand } from '../program.ts'
import { readClaims } from '../read-claims.ts'
import { redactStrings } from '../redact-strings.ts'
import { readSettings, type Settings } from '../settings.ts'
import { addClusterOptions, colorOption } from '../shared-options.ts'

interface CanIFlags extends CallFlags {
  readonly jwt?: string | false
  readonly otherHeaders: boolean
  readonly plaintext?: boolean
  readonly file?: string[]
  readonly labels?: string[]
  readonly dataPlane?: 'sidecar' | 'ambient'
  readonly output?: 'text' | 'json'
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage can-i --to svc/ledger.pay:8080 --from deploy/web.shop --method POST --path /api/transfer
  meshtriage can-i --to svc/ledger.pay:8080 --from sa/web.shop --method GET --path /admin --no-jwt
  meshtriage can-i --to deploy/ledger.pay:8080 --jwt claims.json --path /v1/balance -o json | jq -r .decision
  meshtriage can-i -f policies.yaml -f ledger.yaml --to svc/ledger.pay:8080 --from sa/web.shop --path /admin

What is not said is not guessed: without --method a rule about methods stays open, and the answer tells so.

Exit codes: 0 allowed, 79 denied, 80 cannot decide, 64 wrong use, 65 unreadable input, 69 no tool or cluster, 77 no permission
`

/** What is read of a cluster to decide: no proxy is asked, so no port-forward is needed. */
const keys: readonly EvidenceKey[] = [
  'mesh.apiResources',
  'mesh.namespaces',
  'mesh.meshConfig',
  'mesh.config',
  'client.config',
  'server.config',
  'gateway.published',
  'gateway.pods',
  'gateway.config',
  'waypoint.pods',
  'waypoint.config',
]

const canI: CliCommand = {
  name: 'can-i',
  register(program, io, done) {
    const command = program
      .command('can-i')
      .description('would this request be allowed? Names the policy and rule that decide, and what is not known')
    addCallOptions(command)
      .option('--jwt <file>', "JSON file with the claims of the caller's token, or - for standard input")
      .option('--no-jwt', 'the request carries no token')
      .option('--no-other-headers', 'no header is sent but those given')
      .option('--plaintext', 'the caller has no identity: it sends plaintext')
      .option(
        '-f, --file <file...>',
        'decide from these files (YAML or JSON, - for standard input) instead of a cluster',
      )
      .option(
        '--labels <key=value...>',
        "with -f: labels of the destination's pods, when no Pod or Deployment is among the files",
      )
      .addOption(
        new Option('--data-plane <mode>', 'with -f: what enforces at the destination').choices(['sidecar', 'ambient']),
      )
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']))
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (flags: CanIFlags) => {
      done(await run(io, flags))
    })
  },
}
export default canI

async function run(io: Io, flags: CanIFlags): Promise<number> {
  const settings = readSettings(io.cwd, io.env)
  if (flags.to === undefined)
    throw new UserError('--to is missing: what is called?', 'for example --to svc/ledger.pay:8080')
  if (flags.jwt === '-' && flags.file?.includes('-'))
    throw new UserError('--jwt - and -f - both want standard input', 'give one of them as a file')
  if (flags.file === undefined && (flags.labels !== undefined || flags.dataPlane !== undefined))
    throw new UserError('--labels and --data-plane go with -f', 'a cluster tells them itself')
  const identity =
    flags.from !== undefined && /^(spiffe:\/\/)?[^/]+\/ns\/[^/]+\/sa\/[^/]+$/.test(flags.from) ? flags.from : null
  if (flags.plaintext && identity !== null)
    throw new UserError('--plaintext and an identity in --from contradict each other')
  const { from: _, ...withoutFrom } = flags
  const given: Given = {
    ...callOf(identity === null ? flags : withoutFrom, settings),
    jwtClaims: typeof flags.jwt === 'string' ? await readClaims(io, flags.jwt) : null,
  }
  const question: AccessQuestion = {
    nowSeconds: Math.floor(io.now().getTime() / 1000),
    token: flags.jwt === false ? 'none' : 'as-given',
    onlyGivenHeaders: !flags.otherHeaders,
    ...(flags.plaintext ? { principal: null } : identity === null ? {} : { principal: identity }),
  }
  const looked = flags.file
    ? await fromFiles(io, flags, given, flags.file)
    : await fromCluster(io, flags, given, settings)
  if (io.interrupt.aborted) return exitCodes.interrupted
  const { situation, notRead, redact } = looked
  const points = accessStages(situation, { ...question, openLabels: looked.openLabels })
  const withoutPods = withoutWaypointPods(situation)
  const report: DecisionReport = redactStrings<DecisionReport>(
    {
      kind: 'AccessDecision',
      schemaVersion: '1.0',
      decision: overall(points),
      summary: points.length === 0 ? nobodyThere(situation, given) : decisionSummary(points),
      request: {
        from: identity ?? situation.client.label ?? given.from?.text ?? null,
        to:
          looked.openLabels.size > 0 || situation.server.pod?.name.endsWith('-assumed')
            ? (given.to?.text ?? null)
            : portedLabel(situation),
        method: given.method,
        path: given.path,
        host: given.host,
        port: situation.server.portNumber,
        protocol: situation.server.port?.protocol ?? null,
      },
      points,
      unknowns: decisive(points)?.access?.unknowns ?? [],
      // Every pod of the destination is judged, so none of them was chosen.
      assumptions: [
        ...looked.assumptions,
        ...callerNotFound(situation, given, flags),
        ...(withoutPods === null ? [] : [withoutPods]),
        ...(flags.file ? [] : situation.assumptions.filter((text) => !text.startsWith('destination:'))),
      ],
      notRead,
    },
    redact,
  )
  const text =
    flags.output === 'json'
      ? documentJson(withoutClaims(report))
      : decisionText(report, pageOptions(io, flags.color ?? settings.color))
  await print(io.stdout, text)
  return { allowed: exitCodes.clean, denied: exitCodes.found, 'cannot-decide': exitCodes.inconclusive }[report.decision]
}

interface Looked {
  readonly situation: Situation
  readonly notRead: readonly NotRead[]
  readonly assumptions: readonly string[]
  readonly openLabels: ReadonlySet<string>
  readonly redact: Redact
}

async function fromCluster(io: Io, flags: CanIFlags, given: Given, settings: Settings): Promise<Looked> {
  const tools = lookingTools(io, settings, flags)
  const { situation, entries } = await collectSituation(io, tools, { given, keys })
  if (!io.interrupt.aborted) refuseNothing(entries)
  return {
    situation,
    notRead: notReadOf(entries),
    assumptions: [],
    openLabels: new Set(),
    redact: tools.redact,
  }
}

async function fromFiles(io: Io, flags: CanIFlags, given: Given, files: readonly string[]): Promise<Looked> {
  const [{ readObjectFiles, inNamespace }, { offlineSituation }, { createRedact }] = await Promise.all([
    import('../read-objects.ts'),
    import('../offline-situation.ts'),
    import('../../exec/redact.ts'),
  ])
  const { objects, skipped } = await readObjectFiles(io, files)
  const redact = createRedact()
  const offline = offlineSituation({
    given,
    objects: objects.map(({ object }) => inNamespace(object, given.namespace ?? 'default')),
    labels: flags.labels === undefined ? null : readLabels(flags.labels),
    dataPlane: flags.dataPlane ?? null,
    now: io.now().toISOString(),
  })
  return {
    situation: offline.situation,
    notRead: skipped.map(({ file, line, why }) => ({ what: `${file}:${line}`, reason: why, unlock: null })),
    assumptions: offline.assumptions,
    openLabels: offline.openLabels,
    redact,
  }
}

function readLabels(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words
      .flatMap((word) => word.split(','))
      .map((word) => {
        const equals = word.indexOf('=')
        if (equals < 1) throw new UserError(`--labels ${word}: no label`, 'write --labels app=ledger')
        return [word.slice(0, equals), word.slice(equals + 1)]
      }),
  )
}

function nobodyThere({ server, store, serverNamespace }: Situation, given: Given): string {
  const name = given.to?.text ?? 'the destination'
  if (server.external)
    return `Cannot decide: ${server.host ?? name} is outside the mesh, where no policy of it is enforced`
  if (serverNamespace !== null && store.readable('Pod', serverNamespace) !== 'yes')
    return `Cannot decide: the pods of namespace ${serverNamespace} could not be read`
  return server.service
    ? `Cannot decide: no pod is behind ${server.label ?? name}`
    : `Cannot decide: there is no service or workload ${name}${serverNamespace ? ` in namespace ${serverNamespace}` : ''}`
}

function callerNotFound({ client }: Situation, { from }: Given, { file }: CanIFlags): readonly string[] {
  if (from === null || from.kind === 'sa' || client.pods.length > 0) return []
  return [
    `no pod of ${from.text} was found${file ? ' among the files' : ''}: who the caller is to the mesh is not known`,
  ]
}

function portedLabel({ server }: Situation): string | null {
  const label = server.label ?? (server.pods[0] ? podLabel(server.pods[0]) : null)
  return label === null || server.portNumber === null ? label : `${label}:${server.portNumber}`
}

/** Who asked knows the claims; a result that is passed on need not carry them. */
function withoutClaims(report: DecisionReport): unknown {
  return {
    ...report,
    points: report.points.map(({ access, ...point }) => ({
      ...point,
      principal: point.principal === undefined ? 'unknown' : point.principal,
      access: access && {
        ...access,
        authentication: {
          ...access.authentication,
          identity: access.authentication.identity && {
            requestPrincipal: access.authentication.identity.requestPrincipal,
          },
        },
      },
    })),
  }
}
