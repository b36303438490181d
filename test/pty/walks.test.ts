import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { comparable, meshtriage, onlyFolder, readNote, temp } from '../e2e/built-cli.ts'
import { hasShared } from '../helpers/shared.ts'
import { closeTerminals, hasTmux, openTerminal, type Terminal } from './terminal.ts'

afterAll(closeTerminals)

/** Chooses by typing, as somebody would who knows the name. */
async function choose(terminal: Terminal, question: string, typed: string) {
  await terminal.shows(question)
  // Before the list is there, what is typed is taken as it is.
  await terminal.shows(/^(?!.*reading the list)/s)
  if (typed !== '') terminal.type(typed)
  await terminal.shows(typed)
  terminal.press('Enter')
}

/** Lets the walk go on until it has an answer; it stops at every finding. */
async function walkOn(terminal: Terminal) {
  for (;;) {
    const screen = await terminal.shows(/Next ▸|note saved|\? {2}why:/, 40_000)
    if (screen.includes('note saved')) return screen
    terminal.press(/\? .*\n.*why:/.test(screen) ? 'Escape' : /Next ▸ diagnosis/.test(screen) ? 'Enter' : 'a')
    await terminal.shows(/^(?!.*Next ▸)/s, 40_000).catch(() => undefined)
  }
}

interface Walk {
  readonly mesh: string
  /** What is typed at each question. */
  readonly intake: readonly (readonly [question: string, typed: string])[]
  /** The same call, said with flags. */
  readonly scripted: readonly string[]
  readonly says: string
}

const web = [
  ['who calls?', 'web'],
  ['who is called?', 'ledger.pay'],
] as const
const ambient = [
  ['who calls?', 'client.amb'],
  ['who is called?', 'server.amb-demo'],
] as const

const walks: readonly Walk[] = [
  {
    mesh: '503-dr-disable-strict',
    intake: [['What do the callers see?', '503'], ...web],
    scripted: ['503', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080'],
    says: 'proven',
  },
  {
    mesh: '403-deny-beats-allow',
    intake: [['What do the callers see?', '403'], ...web],
    scripted: ['403', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080'],
    says: 'proven',
  },
  {
    mesh: 'healthy-strict',
    intake: [['What do the callers see?', '503'], ...web],
    scripted: ['503', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080'],
    says: 'nothing found',
  },
  {
    mesh: 'ambient-l4-deny',
    intake: [['What do the callers see?', 'reset'], ...ambient],
    scripted: ['reset', '--from', 'pod/client.amb-demo', '--to', 'svc/server.amb-demo:80'],
    says: 'proven',
  },
  {
    mesh: 'tls-credential-missing',
    intake: [
      ['What do the callers see?', 'handshake'],
      ['which host do they ask for?', 'shop.example.com'],
      ['who is called?', 'web.shop'],
    ],
    scripted: ['tls', '--host', 'shop.example.com', '--to', 'svc/web.shop:80'],
    says: 'proven',
  },
  {
    mesh: '404-gateway-host',
    intake: [
      ['What do the callers see?', '404'],
      ['who calls?', 'outside'],
      ['which host do they ask for?', 'other.example.com'],
      ['who is called?', 'web.shop'],
    ],
    scripted: ['404', '--host', 'other.example.com', '--to', 'svc/web.shop:80'],
    says: 'proven',
  },
  {
    mesh: 'no-access-log',
    intake: [
      ['What do the callers see?', '403'],
      ['who calls?', 'cart'],
      ['who is called?', 'ledger.pay'],
    ],
    scripted: ['403', '--from', 'deploy/cart.shop', '--to', 'svc/ledger.pay:8080'],
    says: 'undecided',
  },
]

describe.skipIf(!hasTmux || !hasShared)('from the first key to the saved note', () => {
  test.each(walks)('$mesh: the note is the one that diagnose writes', { timeout: 120_000 }, async (walk) => {
    const parent = temp('guided')
    const terminal = openTerminal({ mesh: walk.mesh, args: ['--save', parent] })
    for (const [question, typed] of walk.intake) await choose(terminal, question, typed)
    const screen = await walkOn(terminal)
    expect(screen).toContain(walk.says)
    terminal.press('q')
    const { code } = await terminal.left()
    const note = JSON.parse(readFileSync(join(onlyFolder(parent), 'note.json'), 'utf8'))
    const scripted = await meshtriage(['diagnose', ...walk.scripted, '--no-save', '-o', 'json', '-q'], {
      mesh: walk.mesh,
    })
    const { id: _, ...own } = comparable(note) as Record<string, unknown>
    const { id: __, ...theirs } = comparable(readNote(scripted.stdout)) as Record<string, unknown>
    expect(own).toEqual(theirs)
    expect(code).toBe(scripted.code)
    terminal.close()
  })
})
