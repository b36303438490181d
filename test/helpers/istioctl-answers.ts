import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { captures, meshesFolder, readJson, readMaybeGzipped } from './shared.ts'

export interface IstioctlAnswer {
  readonly capture: string
  readonly version: string
  /** The command line in meshbed's normal form. */
  readonly question: string
  readonly stdout: string
  readonly stderr: string
  readonly exit: number
  readonly hangs: boolean
}

/** Every stored answer of istioctl, of every capture and version. A file that versions share is read once. */
export function* istioctlAnswers(): Generator<IstioctlAnswer> {
  for (const capture of captures) {
    const folder = join(meshesFolder, capture, 'istioctl')
    const files = new Map<string, string>()
    for (const version of readdirSync(folder).sort()) {
      const path = join(folder, version, 'answers.json')
      if (!existsSync(path) && !existsSync(`${path}.gz`)) continue
      for (const [question, answer] of Object.entries<any>(readJson(path))) {
        const file: string | undefined = answer.file
        if (file !== undefined && !files.has(file)) files.set(file, readMaybeGzipped(join(folder, file)))
        const stdout = file === undefined ? (answer.stdout ?? '') : files.get(file)!
        const { stderr = '', exit = 0, hangs = false } = answer
        yield { capture, version, question, stdout, stderr, exit, hangs }
      }
    }
  }
}

/** Which parser reads the answer to a question; a sentence where none does. */
export function readerOf(question: string): { readonly parser: string } | { readonly nobody: string } {
  const asksJson = question.endsWith(' -o json')
  const words = question.replace(/ -o json$/, '').split(' ')
  const [command, sub] = words
  if (command === 'version') return { parser: 'istioctl-version' }
  if (command === 'analyze' || command === 'remote-clusters') return { parser: command }
  if (command === 'proxy-status') return { parser: words[1]?.includes('.') ? 'proxy-status-diff' : 'proxy-status' }
  if (command === 'waypoint') return { parser: `waypoint-${sub}` }
  if (command === 'ztunnel-config') return { parser: ztunnelParsers[sub!] ?? `ztunnel-${sub}` }
  if (command === 'x' && sub === 'authz') return { parser: 'authz-check' }
  if (command === 'x' && sub === 'internal-debug' && words[2] === 'syncz') return { parser: 'syncz' }
  if (command === 'x') return { parser: sub! }
  if (command === 'proxy-config') {
    if (sub === 'all') return { nobody: 'the parts are asked for one by one' }
    if (sub === 'eds' && asksJson) return { nobody: 'endpoint tells the health that Envoy acts on' }
    if (sub === 'log') return { parser: 'proxy-config-log' }
    if (sub === 'bootstrap' && !asksJson) return { parser: 'proxy-config-versions' }
    return { parser: asksJson ? `proxy-config-${sub}` : `proxy-config-${sub}-table` }
  }
  return { parser: question }
}

const ztunnelParsers: Readonly<Record<string, string>> = {
  workload: 'ztunnel-workloads',
  service: 'ztunnel-services',
  policy: 'ztunnel-policies',
  certificate: 'ztunnel-certificates',
  connections: 'ztunnel-connections',
}
