import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './pages.ts'

const node = (...args: string[]) => {
  try {
    return execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string } // what execFileSync throws
    throw new Error(`${stdout}\n${stderr}`)
  }
}

test('generated pages, and the examples on all others, are what the program prints today', { timeout: 180_000 }, () => {
  expect(node(join(root, 'scripts/generate-docs.mjs'), '--check')).toMatch(/all current/)
})

test('NOTICE names every package that is bundled, and all their licences are agreed to', { timeout: 60_000 }, () => {
  expect(node(join(root, 'scripts/licences.mjs'), '--check')).toMatch(/^\d+ packages are bundled/)
})
