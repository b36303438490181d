import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import describeParser from '../../parsers/describe.ts'
import { packageRoot } from '../../src/library/package-root.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../../test/helpers/shared.ts'
import type { Recording } from './recordings.ts'

const kept = 'scripts/docs/describe.json'

/**
 * What `istioctl x describe` says of the destination's pod in each recording. Recorded sessions do not hold it, since no walk asks
 * for it; the captures do. Without them the kept words are used, so that the pages can be checked anywhere.
 */
export function describedAll(recordings: readonly Recording[]): Readonly<Record<string, string>> {
  const path = join(packageRoot(), kept)
  if (!hasShared) return JSON.parse(readFileSync(path, 'utf8'))
  return Object.fromEntries(
    recordings.flatMap((recording) => {
      const said = describedPod(recording)
      return said === null ? [] : [[recording.name, said]]
    }),
  )
}

export function describedFile(described: Readonly<Record<string, string>>): [string, string] {
  return [kept, `${JSON.stringify(described, null, 2)}\n`]
}

function describedPod({ name, played }: Recording): string | null {
  const { pod } = played.situation.server
  if (!pod || !captures.includes(name)) return null
  const folder = join(meshesFolder, name, 'istioctl')
  const versions = Object.keys(readJson(join(meshesFolder, name, 'mesh.json')).istioctl)
  const version = versions.includes('1.30') ? '1.30' : versions.at(-1)
  if (!version || !existsSync(join(folder, version))) return null
  const answer = readJson(join(folder, version, 'answers.json'))[`x describe pod ${pod.name}.${pod.namespace}`]
  if (!answer) return null
  const text: string = answer.stdout ?? (answer.file ? readMaybeGzipped(join(folder, answer.file)) : '')
  try {
    return `${inWords(text)}${answer.exit ? '; then it fails' : ''}`
  } catch {
    // An error instead of a description says nothing about the call.
    return 'fails'
  }
}

/** The parts of a description that could point at a cause: mode, rules and policies it names, and every warning. */
function inWords(text: string): string {
  const { pod, peerAuthentication, services, warnings } = describeParser.parse(text)
  const rules = services.flatMap(({ destinationRules }) => destinationRules.map(({ name }) => name))
  const routes = services.flatMap(({ virtualServices }) => virtualServices.map(({ name }) => name))
  const policies = services.flatMap(({ rbacPolicies }) => rbacPolicies.map(({ policy }) => policy))
  const faults = services.flatMap(({ virtualServices }) =>
    virtualServices.flatMap(({ faultInjection }) => faultInjection),
  )
  const parts = [
    ...(pod?.withoutSidecar ? ['pod without sidecar'] : []),
    ...(peerAuthentication?.mode ? [`mTLS ${peerAuthentication.mode}`] : []),
    ...(rules.length > 0 ? [`DestinationRule ${unique(rules)}`] : []),
    ...(routes.length > 0 ? [`VirtualService ${unique(routes)}`] : []),
    ...(policies.length > 0 ? [`RBAC policy ${unique(policies)}`] : []),
    ...faults,
    ...warnings.filter((line) => !line.startsWith('WARNING: kubectl')),
  ]
  return parts.join('; ') || 'ports only'
}

const unique = (names: readonly string[]) => [...new Set(names)].join(', ')
