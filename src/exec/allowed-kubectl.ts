import type { FlagRule } from './argv.ts'
import { matchesWhole, type ReadArgv } from './argv.ts'
import {
  allNamespaces,
  any,
  duration,
  flag,
  name,
  nothing,
  number,
  output,
  podTarget,
  selector,
  target,
  type Verb,
} from './verb.ts'

const kubectlGlobal = [flag('namespace', name, 'n'), flag('request-timeout', duration)]
const tableFlags = [flag('no-headers'), flag('sort-by', any)]

/** What the proxy's admin port may be asked. All of these only read, and GET is the only method. */
const adminPath =
  /\/?(stats|stats\/prometheus|clusters|config_dump|server_info|certs|listeners|ready|memory|runtime|init_dump)(\?(\w+(=[^\s&#]*)?)(&\w+(=[^\s&#]*)?)*)?/

function refuseExec({ flags, afterDash }: ReadArgv): string | undefined {
  if (flags.get('container')?.join() !== 'istio-proxy') return 'exec is allowed in the container istio-proxy only'
  const [agent, request, method, path, ...more] = afterDash ?? []
  if (agent !== 'pilot-agent' || request !== 'request' || method !== 'GET' || more.length > 0)
    return 'exec is allowed for `pilot-agent request GET PATH` only'
  return path !== undefined && matchesWhole(adminPath, path)
    ? undefined
    : 'this path of the admin port is not on the list'
}

/** A listing of Secrets as JSON, or values picked from one, would bring in far more than certificates. */
function refuseSecretValues({ words, flags }: ReadArgv): string | undefined {
  const kinds = words.flatMap((word, at) =>
    at === 0 || word.includes('/') ? (word.split('/')[0] ?? '').split(',') : [],
  )
  if (!kinds.some((kind) => /^secrets?(\.|$)/i.test(kind))) return undefined
  const format = flags.get('output')?.at(-1) ?? 'table'
  if (/^(table|name|wide)$/.test(format)) return undefined
  const names = words.filter((word, at) => word.includes('/') || at > 0)
  if (format === 'json' && names.length > 0 && !flags.has('all-namespaces')) return undefined
  return 'Secrets are read one by one, by name, as JSON; their values are dropped'
}

function kubectl(
  path: readonly (readonly string[])[],
  flags: readonly FlagRule[],
  words: Verb['words'],
  more?: Partial<Verb>,
): Verb {
  const title = ['kubectl', ...path.map((aliases) => aliases[0])].join(' ')
  return { file: 'kubectl', path, title, flags: [...kubectlGlobal, ...flags], words, effect: 'reads', ...more }
}

/** What kubectl may be asked. */
export const kubectlVerbs: readonly Verb[] = [
  kubectl(
    [['get']],
    [
      output(/json|yaml|wide|name|jsonpath=.*|custom-columns=.*/),
      selector,
      allNamespaces,
      ...tableFlags,
      flag('field-selector', any),
      flag('ignore-not-found'),
      flag('show-labels'),
      flag('show-kind'),
      flag('label-columns', any, 'L'),
      flag('chunk-size', number),
      flag('show-managed-fields'),
    ],
    { min: 1, max: 50, pattern: target },
    { refuse: refuseSecretValues },
  ),
  kubectl(
    [['logs']],
    [
      flag('container', name, 'c'),
      flag('all-containers'),
      flag('follow', undefined, 'f'),
      flag('timestamps'),
      flag('previous', undefined, 'p'),
      flag('prefix'),
      flag('since', duration),
      flag('since-time', /[0-9TZ:.+-]+/),
      flag('tail', /-1|\d+/),
      flag('limit-bytes', number),
      selector,
      flag('ignore-errors'),
      flag('max-log-requests', number),
    ],
    podTarget,
  ),
  kubectl(
    [['exec']],
    [flag('container', name, 'c')],
    { min: 1, max: 1, pattern: target },
    { title: 'kubectl exec … -c istio-proxy -- pilot-agent request GET', refuse: refuseExec },
  ),
  kubectl([['version']], [output(/json|yaml/), flag('client')], nothing),
  kubectl(
    [['auth'], ['can-i']],
    [flag('subresource', name), flag('quiet', undefined, 'q'), flag('list'), allNamespaces, flag('no-headers')],
    { min: 0, max: 3, pattern: /[a-z*/][\w.:/*-]*/i },
  ),
  kubectl(
    [['api-resources']],
    [
      output(/wide|name|json|yaml/),
      flag('no-headers'),
      flag('namespaced'),
      flag('api-group', any),
      flag('verbs', any),
      flag('categories', any),
      flag('cached'),
      flag('sort-by', name),
    ],
    nothing,
  ),
  kubectl([['config'], ['current-context']], [], nothing),
  kubectl([['config'], ['view']], [output(/json|yaml/), flag('minify')], nothing, {
    title: 'kubectl config view --minify',
    refuse: ({ flags }) =>
      flags.get('minify')?.join() === 'true' ? undefined : '`config view` is allowed with --minify only',
  }),
  kubectl(
    [['top'], ['pod', 'pods', 'po', 'node', 'nodes', 'no']],
    [selector, allNamespaces, ...tableFlags, flag('containers')],
    podTarget,
    { title: 'kubectl top pod|node' },
  ),
]
