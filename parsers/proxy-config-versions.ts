import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readToolText, refuseErrorText, shorten } from './lib/tool-text.ts'

const ProxyVersions = z.object({
  istio: z.string().nullable(),
  istioProxy: z.string().nullable(),
  envoy: z.string().nullable(),
})
export type ProxyVersions = z.infer<typeof ProxyVersions>

/** `istioctl proxy-config bootstrap -o short`: up to three versions, of which any may be left out. */
export default defineParser<ProxyVersions>({
  name: 'proxy-config-versions',
  schema: ProxyVersions,
  parse: (text) => {
    const { body } = readToolText(text)
    refuseErrorText(body, 'an error where versions were expected')
    const found: Record<string, string> = {}
    for (const line of body.split('\n')) {
      if (line.trim() === '') continue
      const [, label, version] = /^(Istio|Istio Proxy|Envoy) Version: +(\S+)$/.exec(line) ?? []
      if (label === undefined || version === undefined) throw new ParseError(`no version in "${shorten(line)}"`)
      found[label] = version
    }
    if (Object.keys(found).length === 0) throw new ParseError('nothing was printed')
    return { istio: found.Istio ?? null, istioProxy: found['Istio Proxy'] ?? null, envoy: found.Envoy ?? null }
  },
})
