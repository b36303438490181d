import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hasShared } from '../helpers/shared.ts'
import { callArgs, meshtriage, onlyFolder, readNote, temp } from './built-cli.ts'

const mesh = '403-deny-beats-allow'
const walk = () => ['diagnose', ...callArgs(mesh), '-o', 'json', '-q']
const below = (folder: string) => readdirSync(folder, { recursive: true }).map(String).sort()

describe.skipIf(!hasShared)('where a session lies, and who may read it', () => {
  test('below the state folder, for its owner only, also with a generous umask', async () => {
    const [state, home, cwd] = [temp('state'), temp('home'), temp('cwd')]
    const node = ['--import', 'data:text/javascript,process.umask(0)']
    const ended = await meshtriage(walk(), { mesh, cwd, node, env: { XDG_STATE_HOME: state, HOME: home } })
    const sessions = join(state, 'meshtriage/sessions')
    const folder = onlyFolder(sessions)
    for (const name of ['', ...below(folder)]) {
      const about = statSync(join(folder, name))
      expect((about.mode & 0o777).toString(8), name).toBe(about.isDirectory() ? '700' : '600')
    }
    expect(statSync(sessions).mode & 0o077).toBe(0)
    expect(readNote(ended.stdout).session).toEqual({ folder })
    expect([...below(home), ...below(cwd)]).toEqual([])
  })

  test('in ~/.local/state without XDG_STATE_HOME, and in the folder that --save, the settings or the environment name', async () => {
    const [home, named, byEnv] = [temp('home'), temp('named'), temp('env')]
    await meshtriage(walk(), { mesh, env: { HOME: home, XDG_STATE_HOME: '' } })
    expect(below(join(home, '.local/state/meshtriage/sessions'))).toContain(
      'outputs'.replace(/^/, `${readdirSync(join(home, '.local/state/meshtriage/sessions'))[0]}/`),
    )
    await meshtriage([...walk(), '--save', named], { mesh, env: { HOME: home } })
    expect(existsSync(join(onlyFolder(named), 'session.json'))).toBe(true)
    await meshtriage(walk(), { mesh, env: { HOME: home, MESHTRIAGE_SAVE: byEnv } })
    expect(existsSync(join(onlyFolder(byEnv), 'session.json'))).toBe(true)
  })

  test('nowhere with --no-save, and nowhere for replay and demo', async () => {
    const [state, home, cwd] = [temp('state'), temp('home'), temp('cwd')]
    const env = { XDG_STATE_HOME: state, HOME: home, TMPDIR: temp('tmp') }
    const ended = await meshtriage([...walk(), '--no-save'], { mesh, cwd, env })
    expect(readNote(ended.stdout).session).toBeNull()
    const kept = temp('kept')
    await meshtriage([...walk(), '--save', kept], { mesh, cwd, env })
    const before = below(kept)
    await meshtriage(['replay', onlyFolder(kept), '-q'], { cwd, env })
    await meshtriage(['demo', '-q'], { cwd, env })
    expect([state, home, cwd, env.TMPDIR].flatMap(below)).toEqual([])
    expect(below(kept)).toEqual(before)
  })

  test.skipIf(process.getuid?.() === 0)('a home and a working folder that cannot be written to', async () => {
    const [state, home, cwd] = [temp('state'), temp('home'), temp('cwd')]
    for (const folder of [home, cwd]) chmodSync(folder, 0o500)
    const ended = await meshtriage(walk(), { mesh, cwd, env: { XDG_STATE_HOME: state, HOME: home } })
    expect(ended.code).toBe(79)
  })

  test('a state folder that cannot be made: said in one line, with what helps', async () => {
    const file = join(temp('file'), 'state')
    mkdirSync(join(file, '..'), { recursive: true })
    const ended = await meshtriage(walk(), { mesh, env: { XDG_STATE_HOME: '/dev/null' } })
    expect(ended).toMatchObject({ code: 65, stdout: '', stderr: expect.stringContaining('--save') })
  })

  test('two walks at the same moment have a folder each', async () => {
    const parent = temp('twice')
    await Promise.all([1, 2].map(() => meshtriage([...walk(), '--save', parent], { mesh })))
    expect(readdirSync(parent).length).toBe(2)
    for (const name of readdirSync(parent))
      expect(JSON.parse(readFileSync(join(parent, name, 'session.json'), 'utf8')).finishedAt).toBeDefined()
  })
})
