import { Option } from 'commander'
import { UserError } from '../../model/errors.ts'
import { exitCodes } from '../exit-codes.ts'
import { readExplainParsers } from '../explain-parsers.ts'
import { print, readStdin, wantsColour } from '../io.ts'
import type { CliCommand } from '../program.ts'
import { colorOption } from '../shared-options.ts'

interface ExplainFlags {
  readonly output: 'text' | 'json'
  readonly color?: 'auto' | 'always' | 'never'
}

const examples = `
Examples:
  meshtriage explain UH
  meshtriage explain UF,URX IST0101 "STALE (5m)"
  meshtriage explain 'upstream_reset_before_response_started{connection_termination}'
  meshtriage explain 'outbound|8080|v2|ledger.pay.svc.cluster.local'
  meshtriage explain 'curl: (56) Recv failure: Connection reset by peer'
  kubectl logs web-1 -c istio-proxy --tail 5 | meshtriage explain -

Exit codes: 0 something was recognised, 65 nothing was, 64 wrong use
`

const explain: CliCommand = {
  name: 'explain',
  register(program, io, done) {
    program
      .command('explain')
      .description(
        'what a code, flag, detail, log line or pasted text means, which layer it speaks of, what to look at next',
      )
      .argument('[text...]', 'the text, in one or several words; - or nothing reads standard input')
      .addOption(outputOption())
      .addOption(colorOption())
      .addHelpText('after', examples)
      .action(async (words: readonly string[], flags: ExplainFlags) => {
        const fromStdin = words.length === 0 || (words.length === 1 && words[0] === '-')
        if (fromStdin && io.stdin.isTTY)
          throw new UserError(
            'explain what?',
            `name a term or paste a line, for example: ${io.programName} explain UH; or pipe text into it`,
          )
        const text = fromStdin ? await readStdin(io) : words.join(' ')
        if (text.trim() === '')
          throw new UserError('there is nothing to explain: the text is empty', undefined, 'input')
        const { explainText } = await import('../../mesh/explain.ts')
        const explanation = explainText(text, await readExplainParsers(text))
        const { createRedact } = await import('../../exec/redact.ts')
        const shown =
          flags.output === 'json'
            ? `${JSON.stringify({ kind: 'Explanation', schemaVersion: '1.0', ...explanation }, null, 2)}\n`
            : (await import('../../report/explanation.ts')).explanationText(explanation, {
                width: Math.min(io.stdout.columns ?? 80, 100),
                colour: wantsColour(io, flags.color, io.stdout),
              })
        // A pasted line may carry a token in its path.
        await print(io.stdout, createRedact()(shown).text)
        done(explanation.recognised.length > 0 ? exitCodes.clean : exitCodes.input)
      })
  },
}
export default explain

function outputOption(): Option {
  return new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text')
}
