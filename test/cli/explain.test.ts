import { describe, expect, test } from 'vitest'
import { runCli } from '../helpers/cli.ts'

const line =
  '[2026-01-01T10:00:01.000Z] "GET /api?access_token=abcdef1234567890abcdef HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19 0 - "-" "curl/8.7.1" "0f2b" "orders.shop:8080" "-" outbound|8080||orders.shop.svc.cluster.local - 10.96.0.9:8080 10.1.0.5:41000 - default'

describe('explain', () => {
  test('a flag is explained on stdout, without a word on stderr', async () => {
    const { code, stdout, stderr } = await runCli(['explain', 'UH'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
    expect(stdout).toContain('NoHealthyUpstream')
    expect(stdout).toContain('Look next')
    expect(stdout).toContain('Often got wrong')
  })

  test('several words are one text', async () => {
    const { code, stdout } = await runCli(['explain', 'UF,URX', 'IST0101', '-o', 'json'])
    expect(code).toBe(0)
    const terms = JSON.parse(stdout).recognised.map((item: any) => item.text)
    expect(terms).toEqual(expect.arrayContaining(['UF', 'URX', 'IST0101']))
  })

  test('an access-log line is read as a line, and its token is not repeated', async () => {
    const { code, stdout } = await runCli(['explain', line])
    expect(code).toBe(0)
    expect(stdout.replace(/\s+/g, ' ')).toContain('written by the caller’s own proxy')
    expect(stdout).not.toContain('abcdef1234567890')
  })

  test('what curl printed is read as such', async () => {
    const { stdout } = await runCli(['explain', '-', '-o', 'json'], {
      stdin: '> GET / HTTP/1.1\n> Host: x\n>\n< HTTP/1.1 403 Forbidden\n< server: envoy\n<\nRBAC: access denied\n',
    })
    expect(JSON.parse(stdout).recognised.map((item: any) => item.what)).toContain('authorization result')
  })

  test('a ztunnel line is read as such', async () => {
    const { code, stdout } = await runCli(['explain', '-o', 'json', '-'], {
      stdin:
        '2026-01-01T10:00:00.000000Z\terror\taccess\tconnection complete\tsrc.addr=10.1.0.5:1 src.workload="web" dst.addr=10.2.0.1:15008 direction="inbound" error="connection closed due to policy rejection: allow policies exist, but none allowed"\n',
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).layer).toMatch(/ztunnel|authz/)
  })

  test('something unknown is said to be unknown, with what is spelled most like it', async () => {
    const { code, stdout } = await runCli(['explain', 'no_helthy_upstream'])
    expect(code).toBe(65)
    expect(stdout).toContain('nothing we know')
    expect(stdout).toContain('no_healthy_upstream')
  })

  test.each([
    ['--help', ['explain', '--help'], 0, /Examples:/, /^$/],
    ['a wrong flag', ['explain', '--nope', 'UH'], 64, /^$/, /unknown option/],
    ['a wrong format', ['explain', 'UH', '-o', 'pdf'], 64, /^$/, /Allowed choices/],
  ])('%s', async (_name, argv, code, stdout, stderr) => {
    const result = await runCli(argv)
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })

  test('empty input is said to be empty', async () => {
    const { code, stdout, stderr } = await runCli(['explain'], { stdin: ' \n' })
    expect([code, stdout]).toEqual([65, ''])
    expect(stderr).toContain('empty')
  })

  test('a terminal without words gets an example instead of a prompt that waits', async () => {
    const { code, stdout, stderr } = await runCli(['explain'], { tty: true })
    expect([code, stdout]).toEqual([64, ''])
    expect(stderr).toContain('meshtriage explain UH')
  })

  test('binary input is refused in words and leaves the terminal alone', async () => {
    const bytes = Uint8Array.from({ length: 5000 }, (_, index) => (index * 37) % 256)
    const { code, stdout } = await runCli(['explain', '-'], { stdin: bytes })
    expect(code).toBe(65)
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
  })

  test('escape sequences and direction marks do not reach the terminal', async () => {
    const { stdout } = await runCli(['explain', 'UH \u001b[2J\u001b]0;title\u0007 \u202eabc'])
    expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/)
  })

  test('colour on a terminal, none where NO_COLOR asks for none', async () => {
    const env = { PATH: '', HOME: '/nonexistent' }
    expect((await runCli(['explain', 'UH'], { env, tty: true })).stdout).toContain('\u001b[')
    expect((await runCli(['explain', 'UH'], { env: { ...env, NO_COLOR: '1' }, tty: true })).stdout).not.toContain(
      '\u001b[',
    )
  })
})
