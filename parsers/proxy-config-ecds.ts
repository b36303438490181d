import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { isObject, kindOf, readProxyConfigJson } from './lib/proxy-config-json.ts'

export const EcdsFilter = z.object({
  name: z.string(),
  /** The filter's `@type` without its package. */
  type: z.string().nullable(),
  version: z.string().nullable(),
  lastUpdated: z.string().nullable(),
  config: z.unknown(),
})
export type EcdsFilter = z.infer<typeof EcdsFilter>

/** `istioctl proxy-config ecds -o json`: filters that are sent apart from listeners, such as WebAssembly. */
export default defineParser<readonly EcdsFilter[]>({
  name: 'proxy-config-ecds',
  schema: z.array(EcdsFilter),
  parse(text) {
    const dump = readProxyConfigJson(text)
    if (!isObject(dump)) throw new ParseError(`an object with ecdsFilters was expected, got ${kindOf(dump)}`)
    const filters = dump.ecdsFilters ?? []
    if (
      !Array.isArray(filters) ||
      !filters.every(isObject) ||
      (!('ecdsFilters' in dump) && Object.keys(dump).length > 0)
    )
      throw new ParseError(`an object with ecdsFilters was expected, got ${kindOf(dump)}`)
    return filters.map((filter) => {
      const config = isObject(filter.ecdsFilter) ? filter.ecdsFilter : {}
      const typed = isObject(config.typedConfig) ? config.typedConfig : {}
      const type = typeof typed['@type'] === 'string' ? typed['@type'] : null
      return {
        name: typeof config.name === 'string' ? config.name : '',
        type: type === null ? null : type.slice(type.lastIndexOf('.') + 1),
        version: typeof filter.versionInfo === 'string' ? filter.versionInfo : null,
        lastUpdated: typeof filter.lastUpdated === 'string' ? filter.lastUpdated : null,
        config: typed,
      }
    })
  },
})
