import type { Given } from '../../model/call.ts'
import { exitCodes } from '../exit-codes.ts'
import type { GuideOptions } from '../guide.ts'
import { type Io, print } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { addClusterOptions, type ClusterFlags, colorOption } from '../shared-options.ts'
import { readTarget } from '../target.ts'

interface GuidedFlags extends ClusterFlags {
  readonly from?: string
  readonly to?: string
  readonly host?: string
  readonly method?: string
  readonly path?: string
  readonly log?: string
  readonly curl?: string
  readonly since?: string
  readonly exec: boolean
  readonly save?: string | boolean
  readonly plain?: boolean
  readonly resume?: string
  readonly open?: string
  readonly color?: 'auto' | 'always' | 'never'
}

/** `meshtriage` alone: the guided walk in a terminal; help anywhere else, since nobody could answer. */
const guided: CliCommand = {
  name: 'guided',
  register(program, io, done) {
    program
      .option('--from <target>', 'guided walk: who calls')
      .option('--to <target>', 'guided walk: what is called')
      .option('--host <name>', 'guided walk: Host header or SNI')
      .option('--method <verb>', 'guided walk: HTTP method')
      .option('--path <path>', 'guided walk: path of the request')
      .option('--log <file>', 'guided walk: begin with these access-log lines')
      .option('--curl <file>', 'guided walk: begin with what curl -v printed')
      .option('--since <duration>', 'guided walk: only log lines this young')
      .option('--no-exec', 'guided walk: nothing that execs into a pod or forwards a port')
      .option('--save <dir>', 'guided walk: put the session folder in this directory')
      .option('--no-save', 'guided walk: keep no session folder')
      .option('--plain', 'guided walk in plain lines, for screen readers and simple terminals')
      .option('--resume <dir>', 'go on with a session that was left')
      .option('--open <archive>', 'ask a bug-report archive or a folder of saved outputs instead of a cluster')
      .addOption(colorOption())
    addClusterOptions(program)
    program.action(async (flags: GuidedFlags) => {
      const canAsk = flags.plain ? true : io.stdin.isTTY && io.stdout.isTTY
      if (!canAsk) {
        await print(io.stderr, program.helpInformation())
        done(exitCodes.usage)
        return
      }
      const { guide } = await import('../guide.ts')
      done(await guide(io, await optionsOf(io, flags)))
    })
  },
}
export default guided

async function optionsOf(io: Io, flags: GuidedFlags): Promise<GuideOptions> {
  const given: Partial<Given> = {
    ...(flags.from === undefined ? {} : { from: readTarget(flags.from) }),
    ...(flags.to === undefined ? {} : { to: readTarget(flags.to) }),
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.method === undefined ? {} : { method: flags.method.toUpperCase() }),
    ...(flags.path === undefined ? {} : { path: flags.path }),
    ...(flags.since === undefined ? {} : { since: flags.since }),
    ...(flags.exec ? {} : { noExec: true }),
    ...(flags.istioNamespace === undefined ? {} : { istioNamespace: flags.istioNamespace }),
    ...(flags.revision === undefined ? {} : { revision: flags.revision }),
  }
  const paste = flags.log ?? flags.curl
  // Loaded only where asked for: the first screen must not wait for it.
  const readInput = async (path: string, flag: string) => (await import('./diagnose.ts')).readInput(io, path, flag)
  const open =
    flags.open === undefined
      ? paste === undefined
        ? undefined
        : { paste: await readInput(paste, flags.log === undefined ? '--curl' : '--log') }
      : { archive: flags.open }
  // Read before the screen opens: what is no session is an error of the command line.
  if (flags.resume !== undefined) await (await import('../../exec/session-files.ts')).readSession(flags.resume)
  const { context, kubeconfig, as, asGroup, namespace } = flags
  return {
    given,
    cluster: { context, kubeconfig, as, asGroup },
    ...(namespace === undefined ? {} : { namespace }),
    ...(open ? { open } : {}),
    ...(flags.resume === undefined ? {} : { resume: flags.resume }),
    ...(flags.plain ? { plain: true } : {}),
    ...(flags.color ? { color: flags.color } : {}),
    ...(flags.save === false ? { save: false as const } : typeof flags.save === 'string' ? { save: flags.save } : {}),
  }
}
