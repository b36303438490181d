import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { headOf } from '../library/find-runbooks.ts'
import { packageRoot } from '../library/package-root.ts'
import type { SymptomId } from '../model/call.ts'
import type { SymptomItem } from '../ui/ports.ts'

/** The symptoms to choose from: the first screen stands before rules and probes are loaded. */
export async function listSymptoms(userRunbooks: string): Promise<SymptomItem[]> {
  const heads = hasRunbooks(userRunbooks) ? await checkedHeads(userRunbooks) : builtInHeads()
  return heads
    .sort((a, b) => place(a.symptoms) - place(b.symptoms))
    .map(({ symptoms, title, says }) => {
      const [id = 'unknown'] = symptoms
      return { id, title, says, ...(asks[id] ? { asks: asks[id] } : {}) }
    })
}

/** A handshake at the ingress is made by somebody outside; whether a pod is in the mesh is about one workload. */
const asks: Partial<Record<SymptomId, NonNullable<SymptomItem['asks']>>> = {
  tls: ['host', 'to'],
  'not-injected': ['from'],
}

interface Head {
  readonly title: string
  readonly says: readonly string[]
  readonly symptoms: readonly SymptomId[]
}

/** Of our own runbooks, which tests have checked, only what stands above the steps: reading all of them takes too long. */
function builtInHeads(): Head[] {
  const folder = join(packageRoot(), 'runbooks')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => parse(headOf(readFileSync(join(folder, name), 'utf8'))) as Head) // as above
}

/** A person's own may be wrong: that is said before a screen opens. */
async function checkedHeads(userRunbooks: string): Promise<Head[]> {
  const { allRunbooks } = await import('./runbooks.ts')
  return allRunbooks(userRunbooks).map(({ runbook }) => runbook)
}

function hasRunbooks(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.yaml'))
}

/** What people are paged for most comes first; the rest follows as it is. */
const usual: readonly SymptomId[] = [
  '503',
  '403',
  '401',
  'reset',
  '404',
  '504',
  'tls',
  'not-applied',
  'not-injected',
  '500',
  '502',
  'slow',
  '429',
  '400',
]

function place(symptoms: readonly SymptomId[]): number {
  const places = symptoms.map((symptom) => usual.indexOf(symptom)).filter((index) => index >= 0)
  return places.length > 0 ? Math.min(...places) : usual.length
}
