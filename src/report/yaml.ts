import { Document, isScalar, Scalar, visit } from 'yaml'
import { type Note, orderNote } from '../model/note.ts'
import { unsafe, unsafeEscaped } from './json.ts'

/** The note as YAML: the same data as the JSON, down to characters that no terminal should see raw. */
export function yaml(note: Note): string {
  const document = new Document(orderNote(note), { aliasDuplicateObjects: false })
  visit(document, {
    Scalar(_, scalar) {
      // Only double-quoted text may carry escapes.
      if (isScalar(scalar) && typeof scalar.value === 'string' && unsafe.test(scalar.value))
        scalar.type = Scalar.QUOTE_DOUBLE
    },
  })
  return unsafeEscaped(document.toString({ lineWidth: 0 }))
}
