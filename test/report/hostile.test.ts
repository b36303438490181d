import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  forFileName,
  forHtml,
  forLine,
  forMarkdown,
  forSlack,
  forTerminal,
  markdownBlock,
  markdownCell,
  markdownCode,
  slackCode,
} from '../../src/report/escape.ts'
import { html } from '../../src/report/html.ts'
import { markdown } from '../../src/report/markdown.ts'
import { hostile, hostileNote } from './notes.ts'

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...hostile.split(' '),
        '\u001b[',
        '\u001b]',
        '`',
        '``',
        '\\',
        '|',
        '<',
        '&',
        '@',
        '\n',
        '_',
        'a',
        ' ',
      ),
    )
    .map((parts) => parts.join('')),
)

describe('for a terminal', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;owned\u0007title', 'title'],
    ['\u001b]8;;https://e.example\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['\u009b2Jc1', 'c1'],
    ['\u001bP1$r\u001b\\dcs', 'dcs'],
    ['\u001b]0;never ends\nnext', '\nnext'],
    ['\u001b(Bcharset \u001bcreset', 'charset reset'],
    ['user\u202egpj.exe', 'usergpj.exe'],
    ['a\u200bb\u00adc\ufeffd', 'abcd'],
    ['tag\u{e0041}\u{e0042}s', 'tags'],
    ['back\b\b\rspace', 'backspace'],
    ['lone \ud800', 'lone \ufffd'],
    ['two\r\nlines\tand a tab', 'two\nlines\tand a tab'],
    ['Grüße, 名前 🙂', 'Grüße, 名前 🙂'],
  ])('%j becomes %j', (raw, clean) => {
    expect(forTerminal(raw)).toBe(clean)
  })

  test('nothing that steers is left of any text, and cleaning twice changes nothing', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        const clean = forTerminal(raw)
        expect(clean).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
        expect(forTerminal(clean)).toBe(clean)
        expect(forLine(raw)).not.toMatch(/[\n\t]/)
      }),
    )
  })
})

describe('for Markdown', () => {
  test.each([
    ['[click](https://e.example)', '\\[click\\](`https://e.example`)'],
    ['![p](https://e.example/p.png)', '!\\[p\\](`https://e.example/p.png`)'],
    ['<b>bold</b>', '\\<b\\>bold\\</b\\>'],
    ['ask @octocat and @here', 'ask `@octocat` and `@here`'],
    ['www.e.example', '`www.e.example`'],
    ['closes #12', 'closes `#12`'],
    ['# title', '\\# title'],
    ['- item', '\\- item'],
    ['1. item', '1\\. item'],
    ['__a__ upstream_reset_x', '\\_\\_a\\_\\_ upstream_reset_x'],
    ['to outbound|80||a.b.svc.cluster.local now', 'to `outbound|80||a.b.svc.cluster.local` now'],
    ['&lt;b&gt;', '\\&lt;b\\&gt;'],
    ['$(rm -rf /) `id`', '$(rm -rf /) \\`id\\`'],
  ])('%j becomes %j', (raw, clean) => {
    expect(forMarkdown(raw)).toBe(clean)
  })

  test('a code span cannot be left', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        const span = markdownCode(raw)
        const fence = /^`+/.exec(span)?.[0] ?? ''
        const inside = span.slice(fence.length, -fence.length)
        expect(span.endsWith(fence)).toBe(true)
        expect((inside.match(/`+/g) ?? []).some((run) => run.length >= fence.length)).toBe(false)
        const block = markdownBlock(raw).split('\n')
        expect(block.slice(1, -1).some((line) => line.trimStart().startsWith(block.at(-1) ?? ''))).toBe(false)
      }),
    )
  })

  test('a cell cannot start another cell', () => {
    fc.assert(
      fc.property(anything, (raw) => {
        for (const cell of [markdownCell(forMarkdown(raw)), markdownCell(markdownCode(raw))])
          expect(cell.replace(/\\[\\|]/g, '')).not.toMatch(/\||\n/)
      }),
    )
  })

  test('a whole note of hostile text holds no HTML, no link, no image and no mention', () => {
    const page = markdown(hostileNote())
    const prose = page
      .replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '')
      .replace(/(?<!\\)(`+)(?!`)[\s\S]*?(?<!`)\1(?!`)/g, '')
      .replace(/\\./g, '')
    expect(prose).not.toMatch(/<\/?[a-z!]|\]\(|https?:|@\w/i)
  })
})

describe('for HTML', () => {
  test('a whole note of hostile text holds only our own elements and nothing that runs or loads', () => {
    const page = html(hostileNote())
    const elements = new Set([...page.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map((match) => match[1]))
    expect([...elements].sort()).toEqual(
      'article blockquote body br code dd details div dl dt g h1 h2 h3 h4 head html li main meta p path pre rect section span strong style summary svg text title ul'.split(
        ' ',
      ),
    )
    expect(page).not.toMatch(/<[^>]+\s(?:on\w+|href|src|xlink:href)\s*=/i)
    expect(page).not.toMatch(/url\(|@import/)
  })

  test('no text ends an attribute or opens a tag', () => {
    fc.assert(fc.property(anything, (raw) => void expect(forHtml(raw)).not.toMatch(/[<>"']/)))
  })
})

describe('for Slack', () => {
  test.each([
    ['<!channel> & <@U1>', '&lt;!channel&gt; &amp; &lt;`@U1`&gt;'],
    ['hey @here', 'hey `@here`'],
    ['see https://e.example/?a=1&b=2 ok', 'see `https://e.example/?a=1&amp;b=2` ok'],
    ['`id`', "'id'"],
  ])('%j becomes %j', (raw, clean) => {
    expect(forSlack(raw)).toBe(clean)
  })

  test('code stays code', () => {
    fc.assert(fc.property(anything, (raw) => void expect(slackCode(raw)).toMatch(/^`[^`\n<>]+`$/)))
  })
})

describe('for a file name', () => {
  test.each([
    ['../../etc/passwd', 'etc-passwd'],
    ['web.shop → ledger.pay:8080', 'web.shop-ledger.pay-8080'],
    ['$(reboot); `x` | y', 'reboot-x-y'],
    ['.hidden', 'hidden'],
    ['CON', '_CON'],
    ['名前', 'note'],
    ['', 'note'],
  ])('%j becomes %j', (raw, clean) => {
    expect(forFileName(raw)).toBe(clean)
  })

  test('any text stays in its folder', () => {
    fc.assert(fc.property(anything, (raw) => void expect(forFileName(raw)).toMatch(/^\w[\w.-]{0,80}$/)))
  })
})
