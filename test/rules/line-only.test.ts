import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readPasted } from '../../src/cli/read-pasted.ts'
import type { Given } from '../../src/model/call.ts'
import type { Runner } from '../../src/model/command.ts'
import type { Situation } from '../../src/situation/situation.ts'
import { ztunnelOfCall } from '../../src/situation/ztunnel-lines.ts'
import { type Played, play, playRunner } from '../helpers/play.ts'
import { fixtureNames, readFixture } from '../helpers/session-fixtures.ts'
import { hasShared, meshesFolder, readMaybeGzipped } from '../helpers/shared.ts'
import { captureRunner } from '../helpers/walk-capture.ts'

/*
 * Diagnoses started without names: one line of a log, a curl transcript, or the destination alone. What the recorded walk
 * asked is answered from its recording, everything else by meshbed.
 */

const table: string[] = []
afterAll(() => console.log(table.sort().join('\n')))

const all = process.env.FULL !== undefined
const only = process.env.ONLY?.split(',')
const sample = only ?? (all ? fixtureNames : fixtureNames.filter((_, index) => index % 5 === 2))

const nameless = (given: Given): Given => ({
  ...given,
  from: null,
  to: null,
  host: null,
  method: null,
  path: null,
  headers: [],
})

function recordedOrMeshbed(name: string): Runner {
  const recorded = new Map(
    readFixture(name).commands.map(({ file, args, result }) => [JSON.stringify([file, ...args]), result]),
  )
  const live = captureRunner(name)
  return async (command, signal) =>
    recorded.get(JSON.stringify([command.file, ...command.args])) ?? live(command, signal)
}

function row(kind: string, name: string, { state, situation }: Played) {
  const { expect: wanted } = readFixture(name)
  const { diagnosis } = state
  if (!diagnosis) throw new Error('no diagnosis')
  const codes = diagnosis.causes.map(({ code, certainty }) => `${code} (${certainty})`)
  const right =
    diagnosis.verdict === wanted.verdict &&
    wanted.codes.every((code, index) => code.split('|').includes(diagnosis.causes[index]?.code ?? ''))
  const hop = diagnosis.answeredBy.hop
  table.push(
    `${right && wanted.answeredBy.split('|').includes(hop) ? 'ok ' : '-- '} ${kind.padEnd(8)} ${name.padEnd(30)} ${diagnosis.verdict} ${codes.join(' + ')} | ${hop} (${wanted.answeredBy}) | ${situation.client.label} → ${situation.server.label}${right ? '' : ` | wanted ${wanted.verdict} ${wanted.codes}`}`,
  )
  return { diagnosis, wanted, hop, right }
}

/** Whatever could not be known: no cause that is known to be wrong, none proven that is not what was wrong, never clean. */
function neverWrong(kind: string, name: string, played: Played) {
  const { diagnosis, wanted, hop, right } = row(kind, name, played)
  const codes = diagnosis.causes.map(({ code }) => code)
  expect(
    codes.filter((code) => wanted.notCodes.includes(code)),
    'known not to be the cause',
  ).toEqual([])
  const possible = wanted.codes.flatMap((code) => code.split('|'))
  const proven = diagnosis.causes.filter(({ certainty, about }) => certainty === 'proven' && about === 'call')
  expect(
    proven.map(({ code }) => code).filter((code) => !possible.includes(code)),
    'proven, and not so',
  ).toEqual([])
  if (wanted.verdict !== 'clean') expect(diagnosis.verdict).not.toBe('clean')
  return { diagnosis, wanted, hop, right }
}

function asExpected(kind: string, name: string, played: Played) {
  const { diagnosis, wanted } = neverWrong(kind, name, played)
  expect(diagnosis.verdict).toBe(wanted.verdict)
  for (const [index, code] of wanted.codes.entries()) expect(code.split('|')).toContain(diagnosis.causes[index]?.code)
  const [first] = diagnosis.causes
  if (first) expect(wanted.layer.flatMap((one) => one.split('|'))).toContain(first.layer)
  expect(wanted.answeredBy.split('|')).toContain(diagnosis.answeredBy.hop)
}

function linesOf(situation: Situation) {
  const { sample: failing, exchanges, symptom } = situation
  const exchange = failing ?? (symptom === 'not-applied' ? undefined : exchanges.at(-1)) ?? null
  const ztunnel = ztunnelOfCall(situation).findLast(({ record }) => record.error !== null)
  return [
    ['client', exchange?.client?.record.raw],
    ['gateway', exchange?.gateway?.record.raw],
    ['waypoint', exchange?.waypoint?.record.raw],
    ['server', exchange?.server?.record.raw],
    ['ztunnel', failing ? undefined : ztunnel?.record.raw],
  ] as const
}

describe.skipIf(!hasShared)('one line of a log instead of names', () => {
  for (const name of sample)
    test(name, async () => {
      const { situation } = await play(name)
      for (const [kind, line] of linesOf(situation)) {
        if (line === undefined) continue
        const pasted = readPasted(line, null)
        const given = { ...nameless(readFixture(name).given), logText: line }
        asExpected(kind, name, await playRunner(recordedOrMeshbed(name), given, { pasted }))
      }
    })
})

function transcripts(name: string): readonly string[] {
  const folder = join(meshesFolder, name, 'client')
  return readdirSync(folder).map((file) => readMaybeGzipped(join(folder, file)))
}

describe.skipIf(!hasShared)('what curl printed instead of names', () => {
  for (const name of sample)
    test(name, async () => {
      const text = transcripts(name).join('\n')
      const pasted = readPasted(null, text)
      const { given } = readFixture(name)
      neverWrong(
        'curl',
        name,
        await playRunner(recordedOrMeshbed(name), { ...nameless(given), curlText: text }, { pasted }),
      )
      if (given.from === null) return
      const withCaller = { ...nameless(given), from: given.from, curlText: text }
      neverWrong('from+curl', name, await playRunner(recordedOrMeshbed(name), withCaller, { pasted }))
    })
})

describe.skipIf(!hasShared)('the destination alone', () => {
  for (const name of sample)
    test(name, async () => {
      const { given } = readFixture(name)
      // Who is not injected is the caller here; asked of the destination alone it is another question.
      if (given.symptom === 'not-injected') return
      neverWrong('to', name, await playRunner(recordedOrMeshbed(name), { ...nameless(given), to: given.to }))
    })
})

/** Whose log says who calls: these requests reach the destination, and fail there or because of it. */
const seenAtDestination = ['401-wrong-issuer', '403-allow-list-miss', '503-dr-disable-strict', '504-route-timeout']

describe.skipIf(!hasShared)("the destination alone, whose log names the caller's address", () => {
  for (const name of seenAtDestination)
    test(name, async () => {
      const { given } = readFixture(name)
      asExpected('to+log', name, await playRunner(recordedOrMeshbed(name), { ...nameless(given), to: given.to }))
    })
})

describe.skipIf(!hasShared)('the caller alone', () => {
  for (const name of sample)
    test(name, async () => {
      const { given } = readFixture(name)
      if (given.from === null) return
      const played = await playRunner(recordedOrMeshbed(name), { ...nameless(given), from: given.from })
      const { diagnosis } = neverWrong('from', name, played)
      // What is called nobody knows: that is said, and nothing is clean.
      if (played.situation.server.host === null) expect(diagnosis.verdict).not.toBe('clean')
    })
  test('its log says what it calls', async () => {
    const { given } = readFixture('503-subset-undefined')
    const played = await playRunner(recordedOrMeshbed('503-subset-undefined'), { ...nameless(given), from: given.from })
    asExpected('from+log', '503-subset-undefined', played)
    expect(played.situation.assumptions.join()).toContain('nobody was named')
  })
})

describe.skipIf(!hasShared)('addresses instead of names', () => {
  const address = (ip: string, port: number | null = null) => ({
    kind: null,
    name: ip,
    namespace: null,
    port,
    text: port === null ? ip : `${ip}:${port}`,
  })
  for (const name of sample)
    test(name, async () => {
      const { situation } = await play(name)
      const { given } = readFixture(name)
      const from = situation.client.pod?.ip
      const to = situation.server.service?.object.spec?.clusterIP
      if (!from || !to || to === 'None') return
      const dialled = { ...given, from: address(from), to: address(to, situation.server.portNumber) }
      asExpected('address', name, await playRunner(recordedOrMeshbed(name), dialled))
    })
  test('that nobody has are said, and nothing is clean', async () => {
    const { given } = readFixture('healthy-strict')
    const played = await playRunner(recordedOrMeshbed('healthy-strict'), { ...given, from: address('10.9.9.9') })
    expect(played.state.diagnosis?.verdict).toBe('inconclusive')
    expect(played.state.diagnosis?.notChecked.map(({ reason }) => reason)).toContain(
      'no pod or service has this address',
    )
  })
})
