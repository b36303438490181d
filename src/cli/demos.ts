import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Recorded, unpackRecorded } from '../exec/recorded.ts'
import { packageRoot } from '../library/package-root.ts'
import { UserError } from '../model/errors.ts'
import { type Demo, demos } from './demo-list.ts'
import { nearest } from './suggest.ts'

export function findDemo(id: string): Demo {
  const demo = demos.find((one) => one.id === id)
  if (!demo)
    throw new UserError(
      `no demo is called ${id}`,
      `${nearest(
        id,
        demos.map((one) => one.id),
      )}; there are: ${demos.map((one) => one.id).join(', ')}`,
    )
  return demo
}

export function readDemo(demo: Demo): Recorded {
  return unpackRecorded(readFileSync(join(packageRoot(), 'fixtures', 'sessions', `${demo.session}.json.br`)))
}
