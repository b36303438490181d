import { UserError } from '../model/errors.ts'
import type { KubeObject } from '../model/kube.ts'
import type { Suppression } from '../report/lint-report.ts'
import { suppressAnnotation, suppressionsOf } from '../rules/lint/suppression.ts'
import type { Settings } from './settings.ts'

/** `suppress:` of the settings file. */
export function fromSettings({ suppress = [] }: Settings): Suppression[] {
  return suppress.map((entry) => ({
    code: entry.code,
    object: textOf(entry.object),
    reason: textOf(entry.reason),
    until: entry.until instanceof Date ? entry.until.toISOString().slice(0, 10) : textOf(entry.until),
    from: '.meshtriage.yaml',
  }))
}

/** `-S CODE`, `-S "CODE=Kind ns/name"`: for this run only, so the command line is the reason. */
export function fromFlags(words: readonly string[]): Suppression[] {
  return words.map((word) => {
    const [, code, object] = /^([^=\s]+)(?:=(.+))?$/.exec(word) ?? []
    if (!code)
      throw new UserError(`--suppress ${word}: no suppression`, 'write -S IST0102 or -S "IST0102=Namespace shop"')
    return {
      code,
      object: object?.trim() ?? null,
      reason: 'asked for on the command line',
      until: null,
      from: '--suppress',
    }
  })
}

const ofAnalyze = 'galley.istio.io/analyze-suppress'

/** `meshtriage.io/suppress` on the object itself, one `CODE=reason;until=2026-12-31` a line; and istioctl's own annotation. */
export function fromAnnotations(objects: readonly KubeObject[]): Suppression[] {
  return objects.flatMap((object) => {
    const { namespace, name, annotations = {} } = object.metadata
    const named = `${object.kind} ${[namespace, name].filter(Boolean).join('/')}`
    const from = `annotation of ${named}`
    const valid = suppressionsOf(object).map((one): Suppression => ({ ...one, object: named, from }))
    const codes = new Set(valid.map(({ code }) => code))
    const without = String(annotations[suppressAnnotation] ?? '')
      .split('\n')
      .map((line) => (line.split('=', 1)[0] ?? '').trim())
      .filter((code) => code !== '' && !codes.has(code))
      .map((code): Suppression => ({ code, object: named, reason: null, until: null, from }))
    const analyze = String(annotations[ofAnalyze] ?? '')
      .split(',')
      .map((code) => code.trim())
      .filter((code) => code !== '')
      .map((code): Suppression => ({ code, object: named, reason: `annotation ${ofAnalyze}`, until: null, from }))
    return [...valid, ...without, ...analyze]
  })
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
}
