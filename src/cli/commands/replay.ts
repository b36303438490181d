import { createRedact } from '../../exec/redact.ts'
import { createReplay } from '../../exec/replay.ts'
import { readSession } from '../../exec/session-files.ts'
import { UserError } from '../../model/errors.ts'
import type { CliCommand } from '../program.ts'
import { readGiven } from '../read-given.ts'
import { readPasted } from '../read-pasted.ts'
import { refuseUnredacted } from '../render-note.ts'
import { chooseRunbook } from '../runbooks.ts'
import { type ScriptedWalk, scriptedWalk } from '../scripted-walk.ts'
import { colorOption, failOnOption, type NoteFormat, outputOption } from '../shared-options.ts'

interface ReplayFlags {
  readonly output?: NoteFormat
  readonly color?: 'auto' | 'always' | 'never'
  readonly failOn?: ScriptedWalk['failOn']
  readonly speed?: string
  readonly guided?: boolean
  readonly quiet?: boolean
  readonly events?: boolean
  readonly runbook?: string
}

const replay: CliCommand = {
  name: 'replay',
  register(program, io, done) {
    program
      .command('replay')
      .description("walk a recorded session again with today's rules; starts no process")
      .argument('<dir>', 'session folder, as meshtriage diagnose leaves it')
      .option('--speed <factor>', 'let commands take as long as they took (1), or a part of it (10: a tenth)')
      .option('-g, --guided', 'in the guided walk')
      .option('--runbook <name|file>', 'use this runbook instead')
      .addOption(failOnOption())
      .addOption(outputOption())
      .addOption(colorOption())
      .option('--events', 'NDJSON of everything that happens, on stdout, the note last')
      .option('-q, --quiet', 'no progress on stderr')
      .addHelpText(
        'after',
        '\nExamples:\n  meshtriage replay ~/.local/state/meshtriage/sessions/2026-01-31T0310Z-503-web-ledger\n  meshtriage replay DIR -o json | jq -r .summary\n',
      )
      .action(async (folder: string, flags: ReplayFlags) => {
        refuseUnredacted(flags.output ?? 'text', true)
        if (flags.guided && io.stdout.isTTY && io.stdin.isTTY) {
          const { guide } = await import('../guide.ts')
          done(await guide(io, { open: { recording: folder } }))
          return
        }
        const session = await readSession(folder)
        const given = readGiven(session.call, folder)
        const speed = flags.speed === undefined ? undefined : Number(flags.speed)
        if (speed !== undefined && !(speed > 0))
          throw new UserError(`--speed ${flags.speed}: no factor`, 'write --speed 1 or --speed 10')
        const redact = createRedact()
        done(
          await scriptedWalk({
            io,
            settings: {},
            given,
            pasted: readPasted(given.logText, given.curlText),
            runbook: chooseRunbook(given.symptom, flags.runbook ?? session.runbook, null),
            run: () => createReplay({ folder, session, redact, ...(speed === undefined ? {} : { speed }) }),
            mode: 'replay',
            context: session.context ?? null,
            saving: { save: false, redact: true },
            budgetMs: null,
            failOn: flags.failOn ?? 'possible',
            format: flags.output ?? 'text',
            color: flags.color,
            events: flags.events === true,
            quiet: flags.quiet === true,
            id: session.id,
          }),
        )
      })
  },
}
export default replay
