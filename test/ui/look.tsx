// Opens the guided walk on made-up data, for looking at it: node scripts are built by test/ui/look.mjs.
import process from 'node:process'
import { runGuided } from '../../src/ui/run-guided.tsx'
import { runPlain } from '../../src/ui/run-plain.ts'
import { sampleBackend } from './sample-backend.ts'
import { inconclusiveSample, plaintextSample, suspectsSample } from './sample-run.ts'

const wish = process.argv[2] ?? 'plaintext'
const speed = Number(process.argv[3] ?? 1)
const sample = wish === 'suspects' ? suspectsSample : wish === 'inconclusive' ? inconclusiveSample : plaintextSample
const backend = sampleBackend({
  sample,
  delay: (ms) => new Promise((resolve) => setTimeout(resolve, ms / speed)),
  ...(wish === 'no-cluster'
    ? { facts: { context: null, istio: null, reachable: false, why: 'kubectl is not installed' } }
    : {}),
})
const aborter = new AbortController()
process.on('SIGTERM', () => aborter.abort())
const run = process.env.TERM === 'dumb' ? runPlain : runGuided
const end = await run(backend, {
  stdin: process.stdin,
  stdout: process.stdout,
  colour: process.env.NO_COLOR === undefined,
  signal: aborter.signal,
  ...(wish === 'diagnosed' ? { open: { demo: 'plaintext' } } : {}),
})
process.exitCode = end.exitCode
