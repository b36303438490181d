import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { isObject, jsonStart, quoteStart, readJsonObject, stringOrNull } from './lib/kubectl-json.ts'

const Version = z.object({
  /** As printed, with its `v`. */
  version: z.string(),
  /** `1.33`; a `+` that some distributions append to the minor version is dropped. */
  minor: z.string().nullable(),
  platform: z.string().nullable(),
})

const KubeVersion = z.object({ client: Version.nullable(), server: Version.nullable() })
export type KubeVersion = z.infer<typeof KubeVersion>

/** `kubectl version`, `-o json` or text. `server` is null where the server did not answer. */
export default defineParser({
  name: 'kube-version',
  schema: KubeVersion,
  parse(text): KubeVersion {
    const version = jsonStart(text) === undefined ? fromText(text) : fromJson(text)
    if (!version.client && !version.server) throw new ParseError(`kube-version: no version in ${quoteStart(text)}`)
    return version
  },
})

function fromJson(text: string): KubeVersion {
  const document = readJsonObject(text, 'kube-version')
  return { client: versionIn(document.clientVersion), server: versionIn(document.serverVersion) }
}

function versionIn(value: unknown): z.infer<typeof Version> | null {
  if (!isObject(value)) return null
  const version = stringOrNull(value.gitVersion)
  return version === null ? null : { version, minor: minorOf(version), platform: stringOrNull(value.platform) }
}

function fromText(text: string): KubeVersion {
  // Before 1.28 the line held a Go struct: `Server Version: version.Info{Major:"1", …, GitVersion:"v1.27.3", …}`.
  const read = (side: string) => {
    const line = new RegExp(`^${side} Version: (?:.*GitVersion:")?(v\\d[^\\s",]*)(?:.*Platform:"([^"]+)")?`, 'm').exec(
      text,
    )
    return line?.[1] ? { version: line[1], minor: minorOf(line[1]), platform: line[2] ?? null } : null
  }
  return { client: read('Client'), server: read('Server') }
}

function minorOf(version: string): string | null {
  return /^v?(\d+\.\d+)/.exec(version)?.[1] ?? null
}
