import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { test } from 'vitest'
import type { Command, CommandResult } from '../src/model/command.ts'
import { evidenceKeys } from '../src/probes/index.ts'
import { playRunner } from './helpers/play.ts'
import { type SessionFixture, sessionsFolder } from './helpers/session-fixtures.ts'
import { captures, hasShared } from './helpers/shared.ts'
import { captureRunner, givenOf, readScenario } from './helpers/walk-capture.ts'

// Not a test: RECORD=1 walks every capture, asks all that could be asked, and keeps the answers as fixtures.
const only = process.env.RECORD === '1' ? captures : (process.env.RECORD?.split(',') ?? [])
test.skipIf(!process.env.RECORD || !hasShared)('record', { timeout: 600_000 }, async () => {
  mkdirSync(sessionsFolder, { recursive: true })
  for (const name of only) {
    const scenario = readScenario(name)
    const commands = new Map<string, { file: string; args: readonly string[]; result: CommandResult }>()
    const live = captureRunner(name)
    const runner = async (command: Command, signal: AbortSignal) => {
      const result = { ...(await live(command, signal)), durationMs: 1 }
      // "Not captured" (96) is meshbed's own word; in a session it is simply not recorded.
      if (result.exit.kind !== 'exited' || result.exit.code < 96)
        commands.set(JSON.stringify([command.file, ...command.args]), {
          file: command.file,
          args: command.args,
          result,
        })
      return result
    }
    const step = {
      id: 'all',
      label: 'all',
      layer: 'observability' as const,
      title: 'all',
      proves: 'all',
      collect: [...evidenceKeys].sort(),
      next: [{ goto: 'diagnosis', because: 'all' }],
    }
    await playRunner(runner, givenOf(scenario), {
      rules: [],
      runbook: { id: 'all', title: 'all', says: ['all'], symptoms: ['unknown'], about: 'all', steps: [step] },
    })
    const fixture: SessionFixture = {
      name,
      synthetic: false,
      given: givenOf(scenario),
      expect: scenario.expect,
      commands: [...commands.values()].sort((a, b) => (JSON.stringify(a.args) < JSON.stringify(b.args) ? -1 : 1)),
    }
    const text = JSON.stringify(fixture)
    writeFileSync(
      join(sessionsFolder, `${name}.json.br`),
      brotliCompressSync(text, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
      }),
    )
    console.log(name, commands.size, text.length)
  }
})
