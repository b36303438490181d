import canIParser from '../../parsers/can-i.ts'
import type { Command, CommandResult, Runner } from '../model/command.ts'
import { ParseError } from '../model/errors.ts'
import type { PermissionCheck } from '../report/doctor.ts'
import { accessNeeds } from '../report/rbac-needs.ts'

export interface DoctorQuestion {
  /** Null: what is allowed in all namespaces. */
  readonly namespace: string | null
  readonly istioNamespace: string
  readonly revision: string | null
  readonly context: string | null
}

const canI = (...words: readonly string[]): Command => ({
  file: 'kubectl',
  args: ['auth', 'can-i', ...words],
  timeoutMs: 15_000,
})

interface Right {
  readonly verb: string
  readonly resource: string
  readonly subresource: string | null
  readonly where: readonly string[]
  readonly check: Omit<PermissionCheck, 'allowed'>
}

/** `*` cannot be asked for a group whose kinds one may have one by one, so the kinds that walks read stand for it. */
const kindsOfGroup: Readonly<Record<string, readonly string[]>> = {
  'security.istio.io': ['authorizationpolicies', 'peerauthentications', 'requestauthentications'],
  'networking.istio.io': [
    'virtualservices',
    'destinationrules',
    'serviceentries',
    'sidecars',
    'gateways',
    'envoyfilters',
  ],
  'telemetry.istio.io': ['telemetries'],
  'extensions.istio.io': ['wasmplugins'],
}

function rights({ namespace, istioNamespace }: DoctorQuestion): readonly Right[] {
  return accessNeeds.flatMap(({ group, resources, verbs, scope, names, needsExec, feeds, lost }) => {
    const kinds = resources.includes('*') ? (kindsOfGroup[group] ?? []) : resources
    const own = scope === 'istio' || scope === 'gateway' ? istioNamespace : namespace
    return kinds.map((kind): Right => {
      // One verb stands for reading. A namespace is read by name, which a Role in it can grant; the rest is listed.
      const wanted = ['create', ...(kind === 'namespaces' ? [] : ['list'])]
      const verb = wanted.find((one) => verbs.includes(one)) ?? verbs[0] ?? 'get'
      const [plural = '', subresource] = kind.split('/')
      const place = scope === 'cluster' ? null : own
      const resource = group === '' ? plural : `${plural}.${group}`
      return {
        verb,
        resource: names?.[0] && !subresource ? `${resource}/${names[0]}` : resource,
        subresource: subresource ?? null,
        where: place === null ? ['--all-namespaces'] : ['-n', place],
        check: {
          verb,
          resource: subresource ? `${resource}/${subresource}` : resource,
          namespace: place,
          needsExec,
          feeds,
          lost,
        },
      }
    })
  })
}

/** Every right that a walk uses, asked for side by side. */
export async function askPermissions(
  run: Runner,
  question: DoctorQuestion,
  signal: AbortSignal,
): Promise<PermissionCheck[]> {
  return Promise.all(
    rights(question).map(async ({ verb, resource, subresource, where, check }) => {
      const flags = subresource === null ? [] : [`--subresource=${subresource}`]
      // Dozens of questions wait at one time, and each listens to its signal: so each gets one of its own.
      const own = AbortSignal.any([signal])
      const result = await run(canI(verb, resource, ...flags, ...where), own)
      return { ...check, allowed: readAnswer(result) }
    }),
  )
}

/** No is an answer with exit code 1; everything else that is not yes is none. */
function readAnswer({ exit, stdout }: CommandResult): boolean | null {
  if (exit.kind !== 'exited') return null
  try {
    const answered = canIParser.parse(stdout)
    return answered.kind === 'answer' ? answered.allowed : null
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    return null
  }
}
