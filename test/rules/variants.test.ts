import { afterAll, describe, expect, test } from 'vitest'
import { readPasted } from '../../src/cli/read-pasted.ts'
import type { Given } from '../../src/model/call.ts'
import { type Played, play } from '../helpers/play.ts'
import { type Edit, editJson, fixtureNames, readFixture } from '../helpers/session-fixtures.ts'
import { hasShared } from '../helpers/shared.ts'
import { captureRunner, walkCapture } from '../helpers/walk-capture.ts'

const table: string[] = []
afterAll(() => console.log(table.sort().join('\n')))

/** Whatever is missing or changed around a call: never a wrong cause. `same`: and nothing that decides was taken away. */
function judge(name: string, variant: string, { state }: Played, demand: 'same' | 'never-wrong' | 'no-false-claim') {
  const wanted = readFixture(name).expect
  const diagnosis = state.diagnosis
  if (!diagnosis) throw new Error('no diagnosis')
  const causes = diagnosis.causes.map(({ code, certainty }) => `${code} (${certainty})`)
  table.push(`${variant.padEnd(16)} ${name.padEnd(32)} ${diagnosis.verdict.padEnd(12)} ${causes.join(' + ')}`)
  // A suspect that is called possible, with the command that would decide, is no claim.
  const claimed =
    demand === 'no-false-claim'
      ? diagnosis.causes.filter(({ certainty }) => certainty !== 'possible')
      : diagnosis.causes
  const codes = claimed.map(({ code }) => code)
  expect(
    codes.filter((code) => wanted.notCodes.includes(code)),
    'known not to be the cause',
  ).toEqual([])
  const right = wanted.codes.flatMap((code) => code.split('|'))
  const proven = diagnosis.causes.filter(({ certainty, about }) => certainty === 'proven' && about === 'call')
  expect(
    proven.map(({ code }) => code).filter((code) => !right.includes(code)),
    'proven, and not what was wrong',
  ).toEqual([])
  if (wanted.verdict !== 'clean') expect(diagnosis.verdict, 'something is wrong with this mesh').not.toBe('clean')
  if (diagnosis.verdict === 'inconclusive') {
    expect(diagnosis.notChecked.map(({ unlock }) => unlock).filter(Boolean), 'says what is open').not.toEqual([])
    expect(diagnosis.nextSteps.map(({ command }) => command).filter(Boolean), 'says how to go on').not.toEqual([])
  }
  if (demand === 'same') {
    expect(diagnosis.verdict).toBe(wanted.verdict)
    for (const [index, code] of wanted.codes.entries()) expect(code.split('|')).toContain(codes[index])
  }
}

const forbidServerLogs: (namespace: string) => Edit = (namespace) => (result, command) =>
  command.file === 'kubectl' && command.args[0] === 'logs' && command.args.includes(namespace)
    ? {
        exit: { kind: 'exited', code: 1 },
        stdout: '',
        stderr: `Error from server (Forbidden): pods "x" is forbidden: User "dev" cannot get resource "pods/log" in API group "" in the namespace "${namespace}"\n`,
        durationMs: 1,
      }
    : result

/** Findings that analyze really prints, about things that have nothing to do with the call. */
const unrelated = editJson(/istioctl analyze/, (found: unknown) => [
  ...(Array.isArray(found) ? found : []),
  {
    code: 'IST0101',
    documentationUrl: 'https://istio.io/latest/docs/reference/config/analysis/ist0101/',
    level: 'Error',
    message: 'Referenced host not found: "nobody.nowhere"',
    origin: 'VirtualService legacy/forgotten',
    reference: '',
  },
  ...Array.from({ length: 30 }, (_, index) => ({
    code: 'IST0118',
    documentationUrl: '',
    level: 'Info',
    message: `Port name metrics-${index} (port: 90${index}, targetPort: 90) doesn't follow the naming convention of Istio port.`,
    origin: `Service other/svc-${index}`,
    reference: '',
  })),
])

describe('unrelated analyzer findings change nothing', () => {
  for (const name of fixtureNames)
    test(name, async () => judge(name, 'unrelated', await play(name, { edit: unrelated }), 'same'))
})

describe('without exec and port-forward nothing wrong is named', () => {
  const noExec = (given: Given): Given => ({ ...given, noExec: true })
  for (const name of fixtureNames)
    test(name, async () => judge(name, 'no exec', await play(name, { given: noExec }), 'never-wrong'))
})

describe("with the destination's logs forbidden nothing wrong is named", () => {
  for (const name of fixtureNames) {
    test(name, async () => {
      const namespace = readFixture(name).given.to?.namespace ?? 'default'
      judge(name, 'no server log', await play(name, { edit: forbidServerLogs(namespace) }), 'never-wrong')
    })
  }
})

/** A third of all commands answers Forbidden, another third each time. */
function dropout(seed: number): Edit {
  return (result, command) => {
    let hash = seed * 2654435761
    for (const character of [command.file, ...command.args].join(' '))
      hash = (Math.imul(hash ^ character.charCodeAt(0), 16777619) >>> 0) + seed
    return hash % 3 === 0
      ? {
          exit: { kind: 'exited', code: 1 },
          stdout: '',
          stderr:
            'Error from server (Forbidden): x is forbidden: User "dev" cannot list resource "x" in API group ""\n',
          durationMs: 1,
        }
      : result
  }
}

describe('whatever a third of the commands would have said, nothing wrong is proven', () => {
  for (const name of fixtureNames) {
    test(name, async () => {
      for (let seed = 1; seed <= 12; seed++)
        judge(name, `dropout ${seed}`, await play(name, { edit: dropout(seed) }), 'no-false-claim')
    })
  }
})

const emptyLogs: Edit = (result, command) =>
  command.file === 'kubectl' && command.args[0] === 'logs' ? { ...result, stdout: '' } : result

describe('where no log holds a line, nothing is clean and nothing wrong is proven', () => {
  for (const name of fixtureNames)
    test(name, async () => {
      const played = await play(name, { edit: emptyLogs })
      judge(name, 'empty logs', played, 'no-false-claim')
      if (readFixture(name).given.symptom === '503') expect(played.state.diagnosis?.verdict).not.toBe('clean')
    })
})

test("an empty log of the caller's proxy is no clean call, whatever passes at the destination", async () => {
  for (const name of ['503-overflow', '503-dr-disable-strict']) {
    const own = readFixture(name).given.from?.namespace ?? ''
    const edit: Edit = (result, command) => (command.args.includes(own) ? emptyLogs(result, command) : result)
    const { state } = await play(name, { edit })
    expect(state.diagnosis?.verdict, name).not.toBe('clean')
    expect(state.diagnosis?.answeredBy.hop, name).toBe('unknown')
  }
})

test('without the policies nobody knows why ztunnel allowed nobody', async () => {
  const edit: Edit = (result, command) => {
    if (command.args[0] !== 'get' || !command.args[1]?.includes('authorizationpolicies')) return result
    const list = JSON.parse(result.stdout)
    const items = list.items.filter(({ kind }: { kind: string }) => kind !== 'AuthorizationPolicy')
    const refused =
      'Error from server (Forbidden): authorizationpolicies.security.istio.io is forbidden: User "dev" cannot list resource "authorizationpolicies" in API group "security.istio.io" in the namespace "x"\n'
    return {
      ...result,
      exit: { kind: 'exited', code: 1 },
      stdout: JSON.stringify({ ...list, items }),
      stderr: result.stderr + refused,
    }
  }
  const { state } = await play('ambient-l7-allow-no-waypoint', { edit })
  expect(state.diagnosis?.causes.map(({ certainty }) => certainty)).toEqual(['possible'])
})

const unreadable =
  (pick: (given: Given) => string): ((given: Given) => Edit) =>
  (given) =>
  (result, command) =>
    command.file === 'kubectl' &&
    command.args.includes('-n') &&
    command.args[command.args.indexOf('-n') + 1] === pick(given)
      ? {
          exit: { kind: 'exited', code: 1 },
          stdout: '',
          stderr:
            'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" in API group ""\n',
          durationMs: 1,
        }
      : result

describe("with the caller's namespace unreadable nothing wrong is named", () => {
  for (const name of fixtureNames) {
    const { given } = readFixture(name)
    const own = given.from?.namespace
    // Where both ends share a namespace there is nothing left to see.
    if (!own || own === given.to?.namespace) continue
    test(name, async () =>
      judge(name, 'no caller', await play(name, { edit: unreadable(() => own)(given) }), 'no-false-claim'),
    )
  }
})

// These ask meshbed, which takes a while: a sample by default, all of them with FULL=1.
const sample = process.env.FULL ? fixtureNames : fixtureNames.filter((_, index) => index % 6 === 0)

describe.skipIf(!hasShared)('JSON access logs give the same result as text', () => {
  for (const name of sample)
    test(name, async () =>
      judge(name, 'json logs', await walkCapture(name, { env: { MESHBED_JSONLOGS: '1' } }), 'same'),
    )
})

describe.skipIf(!hasShared)('a failing line instead of names', () => {
  for (const name of sample) {
    test(name, async () => {
      const { situation } = await play(name)
      const line =
        situation.sample?.client?.record.raw ??
        situation.sample?.gateway?.record.raw ??
        situation.sample?.server?.record.raw
      if (line === undefined) return
      const nameless = (given: Given): Given => ({
        ...given,
        from: null,
        to: null,
        host: null,
        method: null,
        path: null,
        logText: line,
      })
      judge(
        name,
        'line only',
        await walkCapture(name, { given: nameless, pasted: readPasted(line, null), runner: captureRunner(name) }),
        'never-wrong',
      )
    })
  }
})
