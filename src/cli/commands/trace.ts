import { Option } from 'commander'
import { UserError } from '../../model/errors.ts'
import type { EvidenceKey } from '../../model/evidence.ts'
import { documentJson } from '../../report/document-json.ts'
import { traceChainText } from '../../report/trace-chain-text.ts'
import { chainOf } from '../call-chain.ts'
import { addCallOptions, type CallFlags, callOf } from '../call-flags.ts'
import { collectSituation, lookingTools, notReadOf, refuseNothing } from '../collect-situation.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import { pageOptions } from '../page-options.ts'
import type { CliCommand } from '../program.ts'
import { readClaims } from '../read-claims.ts'
import { redactStrings } from '../redact-strings.ts'
import { readSettings } from '../settings.ts'
import { addClusterOptions, colorOption } from '../shared-options.ts'

interface TraceFlags extends CallFlags {
  readonly exec: boolean
  readonly jwt?: string | false
  readonly output?: 'text' | 'json'
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage trace --from deploy/web.shop --to svc/ledger.pay:8080 --path /v1/balance
  meshtriage trace --to svc/web.shop:80 --host shop.example.com
  meshtriage trace --from pod/web-1.shop --to svc/ledger.pay -o json | jq -r .summary

It reads configuration and sends no request: what the proxies would do with the call, and which object each part came from.

Exit codes: 0 reaches the application, 79 ends before it, 80 cannot be followed to the end, 64 wrong use,
            69 no tool or cluster, 77 no permission
`

const proxyParts = ['listeners', 'routes', 'clusters', 'endpoints'] as const
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
  ...(['client', 'gateway', 'waypoint', 'server'] as const).flatMap((role) =>
    proxyParts.map((part): EvidenceKey => `${role}.${part}`),
  ),
]

const traceCommand: CliCommand = {
  name: 'trace',
  register(program, io, done) {
    const command = program
      .command('trace')
      .description('follow one call through the configuration of every proxy on its way, and show where it ends')
    addCallOptions(command)
      .option('--jwt <file>', "JSON file with the claims of the caller's token, or - for standard input")
      .option('--no-jwt', 'the request carries no token')
      .option('--no-exec', 'nothing that forwards a port: what proxies hold then stays unknown')
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']))
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (flags: TraceFlags) => {
      done(await run(io, flags))
    })
  },
}
export default traceCommand

async function run(io: Io, flags: TraceFlags): Promise<number> {
  const settings = readSettings(io.cwd, io.env)
  if (flags.to === undefined && flags.host === undefined)
    throw new UserError(
      '--to is missing: what is called?',
      'for example --from deploy/web.shop --to svc/ledger.pay:8080',
    )
  const given = {
    ...callOf(flags, settings),
    jwtClaims: typeof flags.jwt === 'string' ? await readClaims(io, flags.jwt) : null,
    noExec: !flags.exec || settings.exec === false,
  }
  const tools = lookingTools(io, settings, flags)
  const { situation, entries } = await collectSituation(io, tools, { given, keys })
  if (io.interrupt.aborted) return exitCodes.interrupted
  refuseNothing(entries)
  const chain = redactStrings(
    chainOf(
      situation,
      {
        nowSeconds: Math.floor(io.now().getTime() / 1000),
        token: flags.jwt === false ? 'none' : 'as-given',
        onlyGivenHeaders: false,
      },
      notReadOf(entries),
    ),
    tools.redact,
  )
  const text =
    flags.output === 'json'
      ? documentJson(chain)
      : traceChainText(chain, pageOptions(io, flags.color ?? settings.color))
  await print(io.stdout, text)
  if (chain.outcome === 'cannot-decide') return exitCodes.inconclusive
  if (chain.outcome === 'reaches-app') return exitCodes.clean
  // A redirect is an answer that was meant; an error status is not.
  return chain.outcome === 'answered' && (chain.caller?.status ?? 500) < 400 ? exitCodes.clean : exitCodes.found
}
