import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { choose, numbered } from '../../src/ui/plain/choose.ts'
import { sentenceLines } from '../../src/ui/plain/sentence-lines.ts'
import { eventSentences } from '../../src/ui/plain/sentences.ts'
import type { GuidedOptions } from '../../src/ui/ports.ts'
import { runPlain } from '../../src/ui/run-plain.ts'
import { saysOf } from '../../src/ui/view/intake.ts'
import { callers, sampleBackend } from './sample-backend.ts'
import { plaintextSample, stateOf } from './sample-run.ts'

const target = callers[0]!.target

/** Answers each prompt with the next line; `null` hangs up. */
async function talk(
  lines: readonly (string | null)[],
  options: Partial<GuidedOptions> = {},
  backend = sampleBackend(),
) {
  const stdin = new PassThrough()
  let said = ''
  const waiting = [...lines]
  const stdout = {
    columns: 80,
    write: (text: string) => {
      said += text
      // A prompt is what ends without a line break.
      if (/[:>] $/.test(text)) {
        const next = waiting.shift()
        if (next === undefined || next === null) stdin.end()
        else stdin.write(`${next}\n`)
      }
      return true
    },
  }
  // Plain mode reads lines and writes text: streams are all it needs of a terminal.
  const end = await runPlain(backend, {
    ...options,
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
  })
  return { said, end }
}

describe('plain mode', () => {
  test('says the whole walk in sentences, without a symbol that needs eyes or a redraw', async () => {
    const { said, end } = await talk(['503', 'web', 'ledger', '8080', '', '', '', '', '', '', 'q'])
    for (const sentence of [
      'Who calls?',
      'Which port?',
      'Step 1 of 7, ground.',
      'Running: istioctl version -o json',
      'Could not look, C7: not allowed',
      'Ask for: kubectl auth can-i get pods/log -n istio-system',
      'Step 6 of 7, transport. Problem',
      'Hop 2 of 4: web-1 proxy, broken here, plaintext.',
      'Next: policy. Why: nothing below transport',
      'Diagnosis, proven: web talks plaintext',
      'Smallest move: remove spec.trafficPolicy.tls',
      'Note saved: ',
    ])
      expect(said).toContain(sentence)
    // No escape, no carriage return: nothing is redrawn.
    expect(said).not.toMatch(/[\u001b\r]/)
    expect(end.exitCode).toBe(79)
  })
  test('a pasted line is answered first and not asked for again', async () => {
    const { said } = await talk(['[t] "GET /api HTTP/1.1" 503 UC upstream_reset', 'web', 'q'])
    expect(said).toContain("This line was written by web-1's own proxy")
    expect(said).not.toContain('Who is called?')
  })
  test('auto, note, evidence, output, explain and Markdown are there too', async () => {
    const { said } = await talk(['n told the owner', 'e', 'o C1', 'x UH', '?', 'a', 'f', 'm', 'r', 'q'], {
      given: { symptom: '503', from: target, to: target && { ...target, port: 80 } },
    })
    for (const words of [
      'Written into the note',
      'C1, mesh: client 1.29.2',
      'C1 line 1',
      'What UH means',
      'a auto',
      '# Incident note',
      'Retest at',
      'fixed',
    ])
      expect(said).toContain(words)
  })
  test('who hangs up gets a note and no endless loop', async () => {
    const { said, end } = await talk(['503', null])
    expect(end.exitCode).toBe(0)
    expect(said).not.toContain('Step 1')
    const walking = await talk([null], { given: { symptom: '503', from: target, to: { ...target, port: 80 } } })
    expect(walking.said).toContain('Note saved')
    expect(walking.end.exitCode).toBe(80)
  })
  test('without a cluster it says so and why', async () => {
    const backend = sampleBackend({
      facts: { context: null, istio: null, reachable: false, why: 'kubectl is not installed' },
    })
    const { said } = await talk(['demo', '1', 'q'], {}, backend)
    expect(said).toContain('No cluster answers: kubectl is not installed')
    expect(said).toContain('Step 1 of 7')
  })
})

describe('choosing by number or letters', () => {
  const rows = ['ledger', 'ledger-admin', 'web'].map((text) => ({ text, value: text }))
  test('a number, the only fit, several, none', () => {
    expect(choose(rows, '2')).toEqual({ is: 'one', value: 'ledger-admin' })
    expect(choose(rows, 'web')).toEqual({ is: 'one', value: 'web' })
    expect(choose(rows, 'ledg')).toMatchObject({ is: 'several' })
    expect(choose(rows, 'zzz')).toEqual({ is: 'none' })
  })
  test('a long list says how to narrow it', () =>
    expect(numbered(Array.from({ length: 40 }, (_, index) => ({ text: `${index}`, value: index }))).at(-1)).toContain(
      '25 more',
    ))
})

describe('sentences', () => {
  test('a command of many kinds is said in short', async () => {
    const state = await stateOf(plaintextSample, 1)
    const kinds = Array.from({ length: 30 }, (_, index) => `kind${index}.networking.istio.io`).join(',')
    const display = `kubectl get ${kinds} -n shop -o json`
    const event = {
      type: 'command-started',
      at: '',
      id: 'C9',
      step: 'ground',
      display,
      key: 'mesh.config',
      subject: '',
    } as const
    expect(eventSentences(event, state, state)).toEqual([
      'Running: kubectl get kind0.networking.istio.io,kind1.networking.istio.io,…+28 -n shop -o json',
    ])
  })
  test('a symptom is not said twice', () =>
    expect(saysOf({ title: 'My change has no effect', says: ['my change has no effect', 'old route'] })).toEqual([
      'old route',
    ]))
})

describe('a sentence on a terminal', () => {
  test('breaks at words, goes on indented, and loses nothing', () => {
    const sentence =
      'Problem: the client sends plaintext, the server accepts only mutual TLS of the mesh, so it hangs up.'
    const lines = sentenceLines(sentence, 40)
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.every((each) => each.length <= 40)).toBe(true)
    expect(lines.slice(1).every((each) => /^ {2}\S/.test(each))).toBe(true)
    expect(lines.map((each) => each.trim()).join(' ')).toBe(sentence)
  })

  test('keeps a command whole enough to be pasted', () => {
    const run = 'kubectl logs -n pay ledger-1 -c istio-proxy --tail=200 --since=1h'
    const [head, ...rest] = sentenceLines(`This decides: ${run}`, 40)
    expect(head).toBe('This decides:')
    expect(rest.slice(0, -1).every((each) => each.endsWith(' \\'))).toBe(true)
    expect(
      rest
        .join('\n')
        .replace(/ \\\n\s*/g, ' ')
        .trim(),
    ).toBe(run)
  })

  test('is one line where nobody knows the width', () => {
    expect(sentenceLines('a '.repeat(60), undefined)).toHaveLength(1)
  })

  test('no line of a whole walk is broken within a word', async () => {
    const { said } = await talk(['503', 'web', 'ledger', '8080', '', '', '', '', '', '', 'q'])
    const long = said.split('\n').filter((each) => each.length > 80)
    expect(long.filter((each) => !/Note saved: /.test(each))).toEqual([])
  })
})
