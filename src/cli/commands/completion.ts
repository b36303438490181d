import { SymptomId } from '../../model/call.ts'
import { UserError } from '../../model/errors.ts'
import type { Candidate, CompletionPorts } from '../completion/candidates.ts'
import { exitCodes } from '../exit-codes.ts'
import { type Io, print } from '../io.ts'
import { type CliCommand, modules } from '../program.ts'

const completion: CliCommand = {
  name: 'completion',
  register(program, io, done) {
    const command = program
      .command('completion')
      .description('completion for bash, zsh or fish, with the namespaces and workloads of the cluster')
      .argument('<shell>', 'bash, zsh or fish')
      .addHelpText(
        'after',
        '\nExamples:\n  source <(meshtriage completion bash)     # in ~/.bashrc\n  source <(meshtriage completion zsh)      # in ~/.zshrc, after compinit\n  meshtriage completion fish > ~/.config/fish/completions/meshtriage.fish\n\nNames from the cluster come within a second or not at all.\n',
      )
      .action(async (named: string) => {
        const { completionScript, readShell } = await import('../completion/scripts.ts')
        await print(io.stdout, completionScript(readShell(named)))
        done(exitCodes.clean)
      })
    command
      .command('complete', { hidden: true })
      .description('what the script asks at each press of the tab key')
      .argument('[words...]')
      .allowUnknownOption()
      .helpOption(false)
      .action(async (words: readonly string[]) => {
        const { candidates, printCandidates } = await import('../completion/candidates.ts')
        done(exitCodes.clean)
        try {
          await print(io.stdout, printCandidates(await candidates(words, portsOf(io))))
        } catch (error) {
          // A broken settings file is said by the command itself; in the middle of a typed line is no place for it.
          if (!(error instanceof UserError)) throw error
        }
      })
  },
}
export default completion

function portsOf(io: Io): CompletionPorts {
  return {
    names: Object.keys(modules),
    async load(name, program) {
      const loaded = await modules[name]?.()
      loaded?.default.register(program, io, () => undefined)
    },
    async live(given) {
      const { liveNames } = await import('../completion/live-names.ts')
      const { readSettings } = await import('../settings.ts')
      const settings = readSettings(io.cwd, io.env)
      const context = given['--context'] ?? settings.context
      const kubeconfig = given['--kubeconfig'] ?? settings.kubeconfig
      return liveNames(io, { context, kubeconfig, as: given['--as'] ?? settings.as })
    },
    listed,
  }

  async function listed(source: 'symptoms' | 'runbooks' | 'demos' | 'sessions'): Promise<readonly Candidate[]> {
    switch (source) {
      case 'symptoms':
        return SymptomId.options.map((value) => ({ value }))
      case 'demos':
        return (await import('../demo-list.ts')).demos.map(({ id, title }) => ({ value: id, about: title }))
      case 'runbooks': {
        const { allRunbooks } = await import('../runbooks.ts')
        return allRunbooks(null).map(({ runbook }) => ({ value: runbook.id, about: runbook.title }))
      }
      case 'sessions': {
        const { readdir } = await import('node:fs/promises')
        const { join } = await import('node:path')
        const { stateFolder } = await import('../settings.ts')
        const names = await readdir(join(stateFolder(io.env), 'sessions')).catch(() => [])
        return names.filter((name) => /^[\w.-]+$/.test(name)).map((value) => ({ value }))
      }
    }
  }
}
