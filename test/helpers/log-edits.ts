import type { SymptomId } from '../../src/model/call.ts'
import type { PlayOptions } from './play.ts'
import { type Edit, edits, editText } from './session-fixtures.ts'

/** Changes every answer that the caller's proxy made itself in a recording of overflowing pools (503-overflow). */
export function callerSays(symptom: SymptomId, answer: string, ...more: readonly Edit[]): PlayOptions {
  const edit = editText(/^kubectl logs .*istio-proxy/, (text) =>
    text.replaceAll(/503 UO upstream_reset_before_response_started\{overflow\} - "-"/g, answer),
  )
  return { given: (given) => ({ ...given, symptom, path: null }), edit: edits(edit, ...more) }
}

/** Changes every answer that the destination's proxy made in a recording of a closed port (503-connection-refused). */
export function destinationSays(symptom: SymptomId, answer: string, ...more: readonly Edit[]): PlayOptions {
  const code = /^\d+/.exec(answer)?.[0] ?? '503'
  const edit = editText(/^kubectl logs .*istio-proxy/, (text) =>
    text
      .replaceAll(/503 URX,UF \S+ - "[^"]*"/g, answer)
      .replaceAll(' 503 - via_upstream', ` ${code === '0' ? '503' : code} - via_upstream`),
  )
  return { given: (given) => ({ ...given, symptom }), edit: edits(edit, ...more) }
}
