import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { asFields, asList, type Fields, reportedVersion, splitProxyName, textOf } from './lib/fields.ts'
import { readJsonDocument, startsLikeJson } from './lib/json-stream.ts'
import { readToolText, refuseErrorText, shorten } from './lib/tool-text.ts'

const ControlPlane = z.object({ component: z.string(), revision: z.string().nullable(), version: z.string() })
const MeshProxy = z.object({
  proxy: z.string(),
  name: z.string(),
  namespace: z.string().nullable(),
  version: z.string(),
  type: z.string().nullable(),
})

const IstioctlVersion = z.object({
  client: z.string().nullable(),
  /** Null: not asked, or it did not answer. An empty list is an answer. */
  controlPlane: z.array(ControlPlane).nullable(),
  /** How many proxies (sidecars, gateways, waypoints, ztunnels) of which version. Null as above. */
  dataPlane: z.array(z.object({ version: z.string(), proxies: z.number() })).nullable(),
  /** JSON only. */
  proxies: z.array(MeshProxy).nullable(),
  logLines: z.array(z.string()),
})
export type IstioctlVersion = z.infer<typeof IstioctlVersion>

/** `istioctl version`, text or JSON. It exits 0 without a control plane, so every part may be missing. */
export default defineParser<IstioctlVersion>({
  name: 'istioctl-version',
  schema: IstioctlVersion,
  parse: (text) => (startsLikeJson(text) ? fromJson(text) : fromText(text)),
})

function fromJson(text: string): IstioctlVersion {
  const fields = asFields(readJsonDocument(text), 'the version')
  if (!['clientVersion', 'meshVersion', 'dataPlaneVersion'].some((key) => key in fields))
    throw new ParseError(`JSON with ${Object.keys(fields).slice(0, 3).join(', ')} is no version`)
  const client = fields.clientVersion === undefined ? null : asFields(fields.clientVersion, 'clientVersion')
  const proxies = 'dataPlaneVersion' in fields ? asList(fields.dataPlaneVersion, 'dataPlaneVersion').map(proxyOf) : null
  return {
    client: client === null ? null : textOf(client.version),
    controlPlane: 'meshVersion' in fields ? asList(fields.meshVersion, 'meshVersion').map(controlPlaneOf) : null,
    dataPlane: proxies === null ? null : countVersions(proxies.map((proxy) => proxy.version)),
    proxies,
    logLines: [...readToolText(text).logLines],
  }
}

function controlPlaneOf(entry: unknown): z.infer<typeof ControlPlane> {
  const fields = asFields(entry, 'a control plane')
  const info: Fields = fields.Info === undefined ? {} : asFields(fields.Info, 'Info')
  return {
    component: textOf(fields.Component) ?? 'unknown',
    revision: textOf(fields.Revision),
    version: textOf(info.version) ?? 'unknown',
  }
}

function proxyOf(entry: unknown): z.infer<typeof MeshProxy> {
  const fields = asFields(entry, 'a proxy')
  const proxy = textOf(fields.ID) ?? ''
  return {
    proxy,
    ...splitProxyName(proxy),
    version: reportedVersion(fields.IstioVersion) ?? 'unknown',
    type: textOf(fields.Type),
  }
}

function countVersions(versions: readonly string[]): { version: string; proxies: number }[] {
  const counts = new Map<string, number>()
  for (const version of versions) counts.set(version, (counts.get(version) ?? 0) + 1)
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([version, proxies]) => ({ version, proxies }))
}

function fromText(text: string): IstioctlVersion {
  const { body, logLines } = readToolText(text)
  refuseErrorText(body, 'an error where versions were expected')
  const lines = body.split('\n').filter((line) => line.trim() !== '')
  if (lines.length === 0) throw new ParseError('nothing was printed')
  // --short=false prints Go structures that change with every release.
  if (body.includes('version.BuildInfo{')) throw new ParseError('versions as Go structures: ask for -o json')
  const istiods: z.infer<typeof ControlPlane>[] = []
  const found: { -readonly [Key in keyof IstioctlVersion]: IstioctlVersion[Key] } = {
    client: null,
    controlPlane: null,
    dataPlane: null,
    proxies: null,
    logLines: [...logLines],
  }
  for (const line of lines) {
    const [, label, value] = /^([\w -]+) version: (.+)$/.exec(line) ?? []
    // Up to 1.22 the client alone is a bare version.
    if (label === undefined || value === undefined) {
      if (lines.length > 1 || !/^v?\d+\.\d+\S*$|^unknown$/.test(line))
        throw new ParseError(`no version in "${shorten(line)}"`)
      found.client = line
    } else if (label === 'client') found.client = value
    else if (label === 'data plane') found.dataPlane = dataPlaneOf(value)
    // "control plane" where all istiods agree, else one line for each, labeled with what it is.
    else {
      const component = label === 'control plane' ? 'pilot' : label
      istiods.push({ component, revision: null, version: value })
    }
  }
  return istiods.length === 0 ? found : { ...found, controlPlane: istiods }
}

function dataPlaneOf(value: string): { version: string; proxies: number }[] {
  if (value === 'none') return []
  return value.split(', ').map((part) => {
    const [, version, proxies] = /^(.+) \((\d+) prox(?:y|ies)\)$/.exec(part) ?? []
    if (version === undefined) throw new ParseError(`no count of proxies in "${shorten(part)}"`)
    return { version: reportedVersion(version) ?? 'unknown', proxies: Number(proxies) }
  })
}
