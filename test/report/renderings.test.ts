import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Note } from '../../src/model/note.ts'
import { forHtml, forMarkdown } from '../../src/report/escape.ts'
import { html } from '../../src/report/html.ts'
import { json } from '../../src/report/json.ts'
import { markdown } from '../../src/report/markdown.ts'
import { short } from '../../src/report/short.ts'
import { blockLimit, messageLimit, slack, slackBlocks } from '../../src/report/slack.ts'
import { text } from '../../src/report/text.ts'
import { displayWidth } from '../../src/report/wrap.ts'
import { yaml } from '../../src/report/yaml.ts'
import { causeNote, cleanNote, everyVerdict, hostileNote, inconclusiveNote, suspectsNote } from './notes.ts'

const renderings = { text, markdown, html, slack, short, yaml, json } as const
const long = { text, markdown, html, slack } as const

describe.each(Object.entries(renderings))('%s', (_, render: (note: Note) => string) => {
  test.each(everyVerdict.map((note) => [note.verdict, note] as const))(
    'renders verdict %s, twice the same',
    (_, note) => {
      const before = JSON.stringify(note)
      expect(render(note)).toBe(render(note))
      expect(JSON.stringify(note)).toBe(before)
      expect(render(note)).not.toMatch(/undefined|\[object Object\]|\bNaN\b/)
    },
  )

  test('never lets a control, bidi or zero-width character through', () => {
    expect(render(hostileNote())).not.toMatch(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/,
    )
  })
})

// The same word, as each rendering writes it.
const written = {
  text: (word: string) => word,
  slack: (word: string) => word,
  html: forHtml,
  markdown: forMarkdown,
} as const

describe.each(Object.entries(long))('%s tells everything that matters', (name, render: (note: Note) => string) => {
  const escaped = written[name as keyof typeof written]
  const flat = (note: Note) => render(note).replace(/ \\\n/g, ' ').replace(/\s+/g, ' ').replaceAll('│ ', '')
  const cause = causeNote.causes[0]!

  test('the answer comes before anything else', () => {
    const page = flat(causeNote)
    expect(page.indexOf(escaped(cause.title))).toBeGreaterThan(-1)
    expect(page.indexOf(escaped(cause.title))).toBeLessThan(page.indexOf(escaped(cause.fix.statement)))
    expect(page.indexOf(escaped(causeNote.summary))).toBeLessThan(page.indexOf(escaped(cause.statement)))
  })

  test('what would only bite later is told from what bites now', () => {
    const later = { ...cause, title: 'and a policy behind it', bites: 'next' as const }
    const page = flat({ ...causeNote, causes: [{ ...cause, bites: 'now' }, later] })
    expect(page).toContain(escaped(`Next, once that is fixed: ${later.title}`))
    expect(page).not.toMatch(/Cause [12]|Suspect/)
    expect(flat(causeNote)).not.toContain('once that is fixed')
  })

  test.each([
    ['certainty', 'proven'],
    ['quoted proof', '"- - -" 0 NR filter_chain_not_found'],
    ['the command that printed it', 'kubectl -n pay logs ledger-1 -c istio-proxy'],
    ['who answered', "the client's proxy"],
    ['what is ruled out', '2 endpoints of ledger.pay:8080 are HEALTHY'],
    ['what was not checked', 'forbidden: pods/log in istio-system'],
    ['how to unlock it', 'kubectl auth can-i get pods --subresource=log -n istio-system'],
    ['the smallest move', cause.fix.statement],
    ['its scope', cause.fix.scope],
    ['its risk', cause.fix.risk],
    ['its undo', cause.fix.undo],
    ['the verification', cause.verify.command],
    ['findings about something else', 'VirtualService shop/legacy names a gateway that does not exist'],
    ['redaction', '2× bearer-token'],
  ])('%s', (_, words) => {
    const page = flat(causeNote)
    expect(page.includes(words) || page.includes(escaped(words)), words).toBe(true)
  })

  test('suspects stand side by side with what would decide, and none is called the cause', () => {
    const page = flat(suspectsNote)
    for (const suspect of suspectsNote.causes) expect(page).toContain(escaped(suspect.title))
    expect(page).toContain(escaped(suspectsNote.causes[0]!.wouldDecide!.why))
    expect(page).toContain('if it is this')
    expect(page).not.toMatch(/Cause found/)
  })

  test('inconclusive never reads as healthy', () => {
    const page = flat(inconclusiveNote)
    expect(page).toContain('Inconclusive')
    expect(page).not.toMatch(/Nothing found|✓ (?!ok|[a-z])/)
    expect(page).toContain('treat this as secret')
  })

  test('clean says that everything needed was looked at', () => {
    expect(flat(cleanNote)).toMatch(/Nothing found, and everything needed was looked at/)
  })
})

describe('text', () => {
  test.each([80, 40])('stays within %i columns, commands apart that cannot be broken', (width) => {
    for (const note of [...everyVerdict, hostileNote('名前 ｗｉｄｅ 🙂 text')]) {
      const tooWide = text(note, { width })
        .split('\n')
        .filter((line) => displayWidth(line) > width && !/^ {4}(\$| {2,}\S+$| {4}'.*'(?: \\)?$)/.test(line))
      expect(tooWide).toEqual([])
    }
  })

  test('colour changes nothing but colour', () => {
    const coloured = text(causeNote, { colour: true })
    expect(coloured).toContain('\u001b[31m')
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(text(causeNote))
  })

  test('a command over two lines can be pasted', () => {
    expect(text(causeNote)).toContain(
      '$ kubectl -n shop patch destinationrule ledger-pool --type json -p \\\n        \'[{"op":"remove","path":"/spec/trafficPolicy/tls"}]\'',
    )
  })

  test('the hop picture becomes a list where it does not fit', () => {
    expect(text(causeNote)).toContain("web ──► web's proxy ─✗─► ledger's proxy ···► ledger")
    expect(text(causeNote, { width: 40 })).toContain("✗ ledger's proxy (server's proxy):")
  })
})

describe('short', () => {
  test.each([...everyVerdict, hostileNote()].map((note) => [note.verdict, note] as const))(
    '%s: three to six lines',
    (_, note) => {
      const lines = short(note).trimEnd().split('\n')
      expect(lines.length).toBeGreaterThanOrEqual(3)
      expect(lines.length).toBeLessThanOrEqual(6)
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(240)
    },
  )
})

describe('slack', () => {
  const endless = hostileNote(`${'&<>'.repeat(400)} @here <!channel>`)
  const many: Note = { ...endless, causes: Array.from({ length: 60 }, () => endless.causes[0]!) }

  test('blocks and message stay within Slack’s limits, however hostile the text', () => {
    for (const note of [...everyVerdict, hostileNote(), endless, many]) {
      for (const block of slackBlocks(note)) expect(block.length).toBeLessThanOrEqual(blockLimit)
      expect(slack(note).length).toBeLessThanOrEqual(messageLimit)
    }
  })

  test('a message that had to be cut says so', () => {
    expect(slack(many)).toContain('Cut here')
    expect(slack(causeNote)).not.toContain('Cut here')
  })

  test('nothing mentions, links or ends an entity in the middle', () => {
    for (const page of [slack(hostileNote()), slack(endless)]) {
      expect(page).not.toMatch(/<[!@#]|<http/)
      expect(page.replace(/&(?:amp|lt|gt);/g, '')).not.toMatch(/&/)
      expect(page.replace(/`[^`\n]*`/g, '')).not.toMatch(/@here|@channel|https:/)
    }
  })
})

describe('html', () => {
  test('the hop picture is drawn twice, for wide and for narrow windows; a long one only downwards', () => {
    expect(html(causeNote).match(/<svg class="hops \w+"/g)).toEqual([
      '<svg class="hops across"',
      '<svg class="hops down"',
    ])
    const hops = [...causeNote.call.hops, ...causeNote.call.hops]
    expect(html({ ...causeNote, call: { ...causeNote.call, hops } }).match(/<svg class="hops \w+"/g)).toEqual([
      '<svg class="hops down"',
    ])
  })

  test('the proof of a cause stands open, the rest can be opened', () => {
    expect(html(causeNote).match(/<details open>/g)).toHaveLength(causeNote.causes[0]!.supporting.length)
  })
})

describe('yaml and json', () => {
  test('carry the same data', () => {
    for (const note of [...everyVerdict, hostileNote()]) {
      // A lone surrogate has no place in UTF-8; everything else survives.
      const plain = JSON.parse(JSON.stringify(note).replaceAll('\\ud800', '?'))
      expect(JSON.parse(json(plain))).toEqual(plain)
      expect(parse(yaml(plain))).toEqual(plain)
    }
  })
})
