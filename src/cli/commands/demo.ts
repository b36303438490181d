import { recordedRunner } from '../../exec/recorded.ts'
import type { Given } from '../../model/call.ts'
import { nothingPasted } from '../../situation/hints.ts'
import { demos } from '../demo-list.ts'
import { findDemo, readDemo } from '../demos.ts'
import { print } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { chooseRunbook } from '../runbooks.ts'
import { type ScriptedWalk, scriptedWalk } from '../scripted-walk.ts'
import { colorOption, failOnOption, type NoteFormat, outputOption } from '../shared-options.ts'

interface DemoFlags {
  readonly output?: NoteFormat
  readonly color?: 'auto' | 'always' | 'never'
  readonly list?: boolean
  readonly guided?: boolean
  readonly quiet?: boolean
  readonly failOn?: ScriptedWalk['failOn']
}

const demo: CliCommand = {
  name: 'demo',
  register(program, io, done) {
    program
      .command('demo')
      .description('play a recorded incident: needs no cluster, no istioctl, no kubectl')
      .argument('[name]', 'which incident; left out: the first one', 'tls-conflict')
      .option('-l, --list', 'list the incidents')
      .option('-g, --guided', 'play it in the guided walk')
      .addOption(failOnOption())
      .addOption(outputOption())
      .addOption(colorOption())
      .option('-q, --quiet', 'no progress on stderr')
      .addHelpText(
        'after',
        '\nExamples:\n  meshtriage demo\n  meshtriage demo --list\n  meshtriage demo deny -o markdown\n  meshtriage demo subset --guided\n',
      )
      .action(async (name: string, flags: DemoFlags) => {
        if (flags.list) {
          await print(
            io.stdout,
            `${demos.map(({ id, symptom, title }) => `${id.padEnd(14)} ${symptom.padEnd(12)} ${title}`).join('\n')}\n`,
          )
          done(0)
          return
        }
        const chosen = findDemo(name)
        if (flags.guided && io.stdout.isTTY && io.stdin.isTTY) {
          const { guide } = await import('../guide.ts')
          done(await guide(io, { open: { demo: chosen.id } }))
          return
        }
        const recorded = readDemo(chosen)
        const given = recorded.given as Given // our own recordings, made from this type
        const verdict = await scriptedWalk({
          io,
          settings: {},
          given,
          pasted: nothingPasted,
          runbook: chooseRunbook(given.symptom, undefined, null),
          run: () => recordedRunner(recorded, io.stderr.isTTY ? 60 : 0),
          mode: 'replay',
          context: null,
          saving: { save: false, redact: true },
          budgetMs: null,
          failOn: flags.failOn ?? 'possible',
          format: flags.output ?? 'text',
          color: flags.color,
          events: false,
          quiet: flags.quiet === true,
          id: `demo-${chosen.id}`,
        })
        // The incident is somebody else's: that the demo played is what the exit code tells, unless --fail-on asks for more.
        done(flags.failOn === undefined ? 0 : verdict)
      })
  },
}
export default demo
