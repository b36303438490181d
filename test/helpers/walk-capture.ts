import { join } from 'node:path'
import { createLive } from '../../src/exec/live.ts'
import { emptyGiven, type Given, type SymptomId, type Target } from '../../src/model/call.ts'
import type { Runner } from '../../src/model/command.ts'
import { type Played, type PlayOptions, playRunner } from './play.ts'
import type { SessionFixture } from './session-fixtures.ts'
import { meshesFolder, readJson, sharedFolder } from './shared.ts'

export interface Scenario {
  readonly id: string
  readonly symptom: { readonly arg: string | null }
  readonly call: {
    readonly from: string
    readonly to: string
    readonly host: string
    readonly port: number
    readonly method: string
    readonly path: string
    readonly headers: Readonly<Record<string, string>>
  }
  readonly expect: SessionFixture['expect']
}

export function readScenario(name: string): Scenario {
  return readJson(join(meshesFolder, name, 'scenario.json'))
}

/** `[KIND/]NAME[.NAMESPACE][:PORT]`. */
export function target(text: string): Target {
  const match = /^(?:([a-z]+)\/)?([^.:/]+)(?:\.([^:/]+))?(?::(\d+))?$/.exec(text)
  const [, kind, name = text, namespace, port] = match ?? []
  return { kind: kind ?? null, name, namespace: namespace ?? null, port: port ? Number(port) : null, text }
}

export function givenOf({ symptom, call }: Scenario): Given {
  return {
    ...emptyGiven((symptom.arg ?? 'unknown') as SymptomId),
    from: call.from === 'unknown' ? null : target(call.from),
    to: target(call.to),
    host: call.host,
    method: call.method,
    path: call.path,
    headers: Object.entries(call.headers),
  }
}

export function captureEnv(name: string, env: Readonly<Record<string, string>> = {}): Record<string, string> {
  const bin = join(sharedFolder, 'meshbed/bin')
  return {
    ...(process.env as Record<string, string>),
    PATH: `${bin}:${process.env.PATH}`,
    MESHBED: join(meshesFolder, name),
    ...env,
  }
}

export function captureRunner(name: string, env: Readonly<Record<string, string>> = {}): Runner {
  return createLive({ env: captureEnv(name, env) }).run
}

/** Walks a capture as a user would, with meshbed's kubectl and istioctl. */
export function walkCapture(
  name: string,
  options: PlayOptions & { readonly env?: Readonly<Record<string, string>>; readonly runner?: Runner } = {},
): Promise<Played> {
  const given = (options.given ?? ((same: Given) => same))(givenOf(readScenario(name)))
  return playRunner(options.runner ?? captureRunner(name, options.env), given, options)
}
