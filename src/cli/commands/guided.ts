import { exitCodes } from '../exit-codes.ts'
import { print } from '../io.ts'
import type { CliCommand } from '../program.ts'

/** `meshtriage` alone: the guided walk in a terminal; help anywhere else, since nobody could answer. */
const guided: CliCommand = {
  name: 'guided',
  register(program, io, done) {
    program.action(async () => {
      if (io.stdin.isTTY && io.stdout.isTTY) {
        const { guide } = await import('../guide.ts')
        done(await guide(io))
        return
      }
      await print(io.stderr, program.helpInformation())
      done(exitCodes.usage)
    })
  },
}
export default guided
