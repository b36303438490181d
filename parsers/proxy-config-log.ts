import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readToolText, refuseErrorText, shorten } from './lib/tool-text.ts'

const ProxyLog = z.object({
  /** `pod.namespace`; null in Envoy's own answer, which does not say whose it is. */
  proxy: z.string().nullable(),
  levels: z.record(z.string(), z.string()),
})
export type ProxyLog = z.infer<typeof ProxyLog>

/** `istioctl proxy-config log`, for one proxy or several: Envoy's loggers and their levels. */
export default defineParser<ProxyLog[]>({
  name: 'proxy-config-log',
  schema: z.array(ProxyLog),
  parse: (text) => {
    const { body } = readToolText(text)
    refuseErrorText(body, 'an error where log levels were expected')
    const proxies: ProxyLog[] = []
    let pod: string | null = null
    for (const line of body.split('\n')) {
      if (line.trim() === '') continue
      const [, logger, level] = /^ {2}([\w.-]+): (\w+)$/.exec(line) ?? []
      const current = proxies.at(-1)
      if (logger !== undefined && level !== undefined && current) current.levels[logger] = level
      else if (line === 'active loggers:') {
        proxies.push({ proxy: pod, levels: {} })
        pod = null
      } else if (/^\S+:$/.test(line)) pod = line.slice(0, -1)
      else throw new ParseError(`no log level in "${shorten(line)}"`)
    }
    if (proxies.length === 0) throw new ParseError('no list of loggers')
    return proxies
  },
})
