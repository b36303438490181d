import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { isObject, kindOf, readProxyConfigJson } from './lib/proxy-config-json.ts'

export const EnvoyBootstrap = z.looseObject({
  node: z
    .looseObject({
      id: z.string().optional(),
      cluster: z.string().optional(),
      /** What the agent told about the pod: labels, annotations, ISTIO_VERSION, PROXY_CONFIG, … */
      metadata: z.record(z.string(), z.any()).optional(),
      locality: z.any().optional(),
      userAgentBuildVersion: z.any().optional(),
    })
    .optional(),
  staticResources: z.any().optional(),
  dynamicResources: z.any().optional(),
  statsConfig: z.any().optional(),
  layeredRuntime: z.any().optional(),
  overloadManager: z.any().optional(),
})
export type EnvoyBootstrap = z.infer<typeof EnvoyBootstrap>

/** `istioctl proxy-config bootstrap -o json`. */
export default defineParser<EnvoyBootstrap>({
  name: 'proxy-config-bootstrap',
  schema: EnvoyBootstrap,
  parse(text) {
    const dump = readProxyConfigJson(text)
    if (!isObject(dump) || !isObject(dump.bootstrap))
      throw new ParseError(`an object with bootstrap was expected, got ${kindOf(dump)}`)
    const node = dump.bootstrap.node
    if (node !== undefined && !isObject(node)) throw new ParseError(`node is ${kindOf(node)}`)
    // The rest is read defensively by its few readers; checking all of it would cost more than parsing it.
    return dump.bootstrap as EnvoyBootstrap
  },
})
