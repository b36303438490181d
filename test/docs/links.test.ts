import { existsSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { pages, readPage, root } from './pages.ts'

// Every link of every page leads somewhere: to a file that is in the repository, and to a heading that is in that file.

describe('links', () => {
  for (const page of pages) {
    const links = linksOf(readPage(page))
    if (links.length === 0) continue
    test(page, () => {
      const broken = links.filter((link) => !leads(page, link))
      expect(broken).toEqual([])
    })
  }
})

test('this test sees links and headings', () => {
  expect(linksOf('[a](b.md#c) ![p](q.svg) `[no](x)` <https://e.org>\n```\n[no](y)\n```\n')).toEqual(['b.md#c', 'q.svg'])
  expect(leads('README.md', 'docs/note.md#a-cause')).toBe(true)
  expect(leads('README.md', 'docs/note.md#no-such-heading')).toBe(false)
  expect(leads('docs/note.md', '../docs/nothing.md')).toBe(false)
})

function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '').replace(/`[^`\n]*`/g, '`')
  return [...prose.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)].map(([, target = '']) => target)
}

function leads(page: string, link: string): boolean {
  if (/^[a-z]+:/.test(link)) return true
  const [path = '', anchor] = link.split('#')
  const file = path === '' ? page : normalize(join(dirname(page), decodeURIComponent(path)))
  if (file.startsWith('..') || !existsSync(join(root, file))) return false
  if (anchor === undefined) return true
  return !statSync(join(root, file)).isDirectory() && headingsOf(readPage(file)).has(anchor)
}

/** As GitHub makes anchors: lower case, blanks to hyphens, other signs away, a number behind the second of a name. */
function headingsOf(markdown: string): ReadonlySet<string> {
  const seen = new Map<string, number>()
  const found = new Set<string>()
  for (const [, heading = ''] of markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} +(.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-')
    const times = seen.get(slug) ?? 0
    seen.set(slug, times + 1)
    found.add(times === 0 ? slug : `${slug}-${times}`)
  }
  return found
}
