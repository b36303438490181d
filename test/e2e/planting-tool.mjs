// Stands in front of meshbed's kubectl and istioctl: what they print is handed on with things planted in it.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const [tool, ...args] = process.argv.slice(2)
const { spec, logLines, stderr, annotations, envoy } = JSON.parse(readFileSync(process.env.PLANTED, 'utf8'))
const { stdout, status, ...ended } = spawnSync(`${process.env.REAL_TOOLS}/${tool}`, args, {
  encoding: 'utf8',
  maxBuffer: 1024 ** 3,
})

function plant(value) {
  if (Array.isArray(value)) return value.map(plant)
  if (typeof value !== 'object' || value === null) return value
  const planted = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plant(inner)]))
  if (typeof planted.kind === 'string' && planted.metadata?.name) {
    planted.metadata.annotations = { ...planted.metadata.annotations, ...annotations }
    if (planted.kind === 'Pod' || planted.kind === 'Deployment') {
      const pod = planted.kind === 'Pod' ? planted.spec : planted.spec?.template?.spec
      for (const container of pod?.containers ?? []) Object.assign(container, { env: spec.env, args: spec.args })
    }
    if (planted.kind === 'Secret') Object.assign(planted, spec.secret)
    if (planted.kind === 'VirtualService') for (const route of planted.spec.http ?? []) Object.assign(route, spec.route)
  }
  if (Array.isArray(planted.items) && planted.kind === 'List') planted.items.push(...(spec.objects ?? []))
  return planted
}

const isJson = /^\s*[[{]/.test(stdout)
let text = stdout
if (isJson) {
  try {
    const document = JSON.parse(stdout)
    const isEnvoy = tool === 'istioctl' || args.includes('exec')
    const planted = isEnvoy
      ? Array.isArray(document)
        ? document.map((entry) => (entry?.code || typeof entry !== 'object' ? entry : { ...entry, ...envoy }))
        : document
      : plant(document)
    text = `${JSON.stringify(planted, null, 4)}\n`
  } catch {
    // Several documents in a row: handed on as they are.
  }
} else if (args[0] === 'logs' && status === 0) text = `${stdout}${logLines.join('\n')}\n`
process.stdout.write(text, () => process.stderr.write((ended.stderr ?? '') + stderr, () => process.exit(status ?? 1)))
