import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { UserError } from '../model/errors.ts'

const Settings = z
  .strictObject({
    context: z.string(),
    kubeconfig: z.string(),
    as: z.string(),
    asGroup: z.array(z.string()),
    namespace: z.string(),
    istioNamespace: z.string(),
    revision: z.string(),
    since: z.string(),
    budget: z.string(),
    failOn: z.enum(['proven', 'likely', 'possible']),
    exec: z.boolean(),
    save: z.string(),
    color: z.enum(['auto', 'always', 'never']),
    redact: z.strictObject({ patterns: z.array(z.string()), pseudonyms: z.boolean() }).partial(),
    suppress: z.array(z.looseObject({ code: z.string() })),
  })
  .partial()
export type Settings = z.infer<typeof Settings>

export type Environment = Readonly<Record<string, string | undefined>>

/** `MESHTRIAGE_NAMESPACE` and the like: the settings that make sense for a shell session. */
const fromEnvironment: Readonly<Record<string, keyof Settings>> = {
  MESHTRIAGE_CONTEXT: 'context',
  MESHTRIAGE_KUBECONFIG: 'kubeconfig',
  MESHTRIAGE_NAMESPACE: 'namespace',
  MESHTRIAGE_ISTIO_NAMESPACE: 'istioNamespace',
  MESHTRIAGE_REVISION: 'revision',
  MESHTRIAGE_SINCE: 'since',
  MESHTRIAGE_BUDGET: 'budget',
  MESHTRIAGE_FAIL_ON: 'failOn',
  MESHTRIAGE_SAVE: 'save',
  MESHTRIAGE_COLOR: 'color',
}

/** Environment over `.meshtriage.yaml` in the folder over the person's own file. Flags come on top, in the commands. */
export function readSettings(cwd: string, env: Environment): Settings {
  const own = readFile(join(configFolder(env), 'config.yaml'))
  const project = readFile(join(cwd, '.meshtriage.yaml'))
  const shell: Record<string, unknown> = {}
  for (const [variable, key] of Object.entries(fromEnvironment)) if (env[variable]) shell[key] = env[variable]
  if (env.MESHTRIAGE_NO_EXEC) shell.exec = false
  return { ...own, ...project, ...check(shell, 'the environment (MESHTRIAGE_*)') }
}

function readFile(path: string): Settings {
  if (!existsSync(path)) return {}
  let document: unknown
  try {
    document = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new UserError(
      `${path} is no YAML: ${error instanceof Error ? error.message.split('\n', 1)[0] : 'unreadable'}`,
      undefined,
      'input',
    )
  }
  return check(document ?? {}, path)
}

function check(document: unknown, where: string): Settings {
  const parsed = Settings.safeParse(document)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UserError(
    `${where}: ${issue?.path.join('.') || 'settings'}: ${issue?.message}`,
    `known settings: ${Object.keys(Settings.shape).join(', ')}`,
    'input',
  )
}

export function configFolder(env: Environment): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'meshtriage')
}

export function stateFolder(env: Environment): string {
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'meshtriage')
}

/** `90s`, `2m`, `1h30m`, `500ms`. */
export function readDuration(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)
    throw new UserError(`${flag} ${text}: no duration`, 'write 60s, 2m or 1h30m')
  const unit: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
  return parts.reduce((sum, [, number = '0', name = 's']) => sum + Number(number) * (unit[name] ?? 0), 0)
}
