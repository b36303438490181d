import { z } from 'zod'
import { IncidentNote, noteSchemaId } from './note.ts'

/** JSON Schema of the note, as shipped in schemas/. Written for readers: unknown fields are allowed everywhere. */
export function noteJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(IncidentNote, { io: 'input' })
  return {
    $schema,
    $id: noteSchemaId,
    title: 'IncidentNote',
    description: 'What a walk through a mesh found: cause, proof, what is ruled out and what could not be looked at.',
    ...schema,
  }
}
