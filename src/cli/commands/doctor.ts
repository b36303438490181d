import { Option } from 'commander'
import type { Runner } from '../../model/command.ts'
import type { DoctorReport } from '../../report/doctor.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print, wantsColour } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { addClusterOptions, type ClusterFlags, colorOption } from '../shared-options.ts'

interface DoctorFlags extends ClusterFlags {
  readonly output: 'text' | 'json'
  readonly color?: 'auto' | 'always' | 'never'
  readonly commands?: boolean
}

const examples = `
Examples:
  meshtriage doctor
  meshtriage doctor -n shop --context prod-eu
  meshtriage doctor -o json | jq '.permissions[] | select(.allowed | not)'
  meshtriage doctor --commands        everything this program can ever start

Exit codes: 0 a walk can look at everything, 80 something is missing, 69 no tool or no cluster, 77 no permission for anything that matters
`

const doctor: CliCommand = {
  name: 'doctor',
  register(program, io, done) {
    const command = program
      .command('doctor')
      .description(
        'what is there: tools, cluster, permissions, access logs, data plane; and what each missing thing costs',
      )
      .option('--commands', 'print the list of commands this program may start, and stop')
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'))
      .addOption(colorOption())
      .addHelpText('after', examples)
    addClusterOptions(command)
    command.action(async (flags: DoctorFlags) =>
      done(flags.commands ? await listCommands(io, flags) : await examination(io, flags)),
    )
  },
}
export default doctor

async function examination(io: Io, flags: DoctorFlags): Promise<number> {
  const [{ examine }, { liveTools }, { readSettings }, { createRedact }, { record }] = await Promise.all([
    import('../doctor-checks.ts'),
    import('../walk-session.ts'),
    import('../settings.ts'),
    import('../../exec/redact.ts'),
    import('../../exec/record.ts'),
  ])
  const settings = readSettings(io.cwd, io.env)
  const context = flags.context ?? settings.context
  const cluster = {
    context,
    kubeconfig: flags.kubeconfig ?? settings.kubeconfig,
    as: flags.as ?? settings.as,
    asGroup: flags.asGroup ?? settings.asGroup,
  }
  const run: Runner = record(liveTools(io, cluster).run, { redact: createRedact(), now: io.now })
  if (io.stderr.isTTY) await print(io.stderr, 'asking kubectl and istioctl …\n')
  const report = await examine(
    run,
    io.env,
    {
      namespace: flags.namespace ?? settings.namespace ?? null,
      istioNamespace: flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system',
      revision: flags.revision ?? settings.revision ?? null,
      context: context ?? null,
    },
    io.interrupt,
  )
  if (flags.output === 'json') await print(io.stdout, `${JSON.stringify(report, null, 2)}\n`)
  else {
    const { doctorText } = await import('../../report/doctor-text.ts')
    const width = Math.min(io.stdout.columns ?? 80, 110)
    await print(io.stdout, doctorText(report, { width, colour: wantsColour(io, flags.color, io.stdout) }))
  }
  if (io.interrupt.aborted) return exitCodes.interrupted
  const { lossesOf } = await import('../../report/doctor.ts')
  return exitCodeOf(report, lossesOf(report).length)
}

function exitCodeOf({ tools, cluster, permissions }: DoctorReport, losses: number): number {
  const { missing } = cluster
  if (missing !== null)
    return missing.reason === 'forbidden' || missing.reason === 'unauthenticated'
      ? exitCodes.forbidden
      : exitCodes.unavailable
  if (tools.every((tool) => tool.missing !== null)) return exitCodes.unavailable
  if (permissions.length > 0 && permissions.every(({ allowed }) => allowed === false)) return exitCodes.forbidden
  return losses === 0 ? exitCodes.clean : exitCodes.inconclusive
}

/** The allow-list in front of every start of a process, as it is. */
async function listCommands(io: Io, flags: DoctorFlags): Promise<number> {
  const { describeAllowList } = await import('../../exec/allow-list.ts')
  const list = describeAllowList()
  if (flags.output === 'json') {
    await print(io.stdout, `${JSON.stringify(list, null, 2)}\n`)
    return exitCodes.clean
  }
  const { newPage } = await import('../../report/page.ts')
  const page = newPage({ width: Math.min(io.stdout.columns ?? 80, 110) })
  page.para('These, with these flags, and nothing else is ever started. All of them only read.')
  page.blank()
  for (const { title, flags: known, onlyOnRequest } of list) {
    page.para(`${title}${onlyOnRequest ? '   (only when you ask for it)' : ''}`, '', '  ')
    page.para(known.join(', ').replaceAll(' VALUE', '=…'), '    ')
  }
  await print(io.stdout, page.done())
  return exitCodes.clean
}
