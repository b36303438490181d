import analyzeParser from '../../parsers/analyze.ts'
import { forMarkdown, markdownCell } from '../../src/report/escape.ts'
import type { Recording } from './recordings.ts'

/** What was broken, what we said, and what the documented first commands say on the same mesh. Misses are shown. */
export function evaluationPage(recordings: readonly Recording[], described: Readonly<Record<string, string>>): string {
  const rows = recordings.map((recording) => {
    const { name, fixture, note } = recording
    const wanted = fixture.expect.codes.join(' + ') || fixture.expect.verdict
    const said = note.causes.map(({ code, certainty }) => `${code} (${certainty})`).join(' + ') || note.verdict
    const right = isRight(recording)
    return {
      right,
      line: `| ${markdownCell(name)} | ${markdownCell(wanted)} | ${right ? '' : '**miss:** '}${markdownCell(said)} | ${markdownCell(analyzeSaid(recording))} | ${markdownCell(short(described[name] ?? 'not recorded'))} |`,
    }
  })
  const hits = rows.filter(({ right }) => right).length
  return `# Evaluation

Recordings of real meshes, each with a known fault or none. *Known* is what was broken on purpose; *meshtriage* is the cause it names with its certainty, or the verdict;
*istioctl analyze* is what analyze says about the namespaces of the call, *x describe* what \`istioctl x describe pod\` says of the destination's pod. Made by \`node scripts/generate-docs.mjs\`.

**${hits} of ${rows.length}** end as they should.

| recording | known | meshtriage | istioctl analyze | x describe |
|---|---|---|---|---|
${rows.map(({ line }) => line).join('\n')}

These recordings were at hand while the rules were written, so the table shows that nothing got lost, not how well rules do on a mesh nobody has seen.
`
}

function isRight({ fixture, note }: Recording): boolean {
  const { verdict, codes } = fixture.expect
  return (
    note.verdict === verdict && codes.every((code, index) => code.split('|').includes(note.causes[index]?.code ?? ''))
  )
}

function analyzeSaid({ fixture }: Recording): string {
  const found = fixture.commands
    .filter(
      ({ file, args, result }) =>
        file === 'istioctl' && args[0] === 'analyze' && result.exit.kind === 'exited' && result.stdout.trim() !== '',
    )
    .flatMap(({ result }) => {
      try {
        return analyzeParser.parse(result.stdout)
      } catch {
        // What is no list of findings says nothing in this table.
        return []
      }
    })
  if (found.length === 0) return 'nothing'
  const first = found.slice(0, 2).map(({ code, message }) => `${code} ${short(message)}`)
  return forMarkdown(`${first.join('; ')}${found.length > 2 ? `; and ${found.length - 2} more` : ''}`)
}

function short(text: string): string {
  return text.length > 90 ? `${text.slice(0, 90)}…` : text
}
