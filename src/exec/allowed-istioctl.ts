import type { FlagRule } from './argv.ts'
import {
  allNamespaces,
  any,
  duration,
  flag,
  localFile,
  name,
  nothing,
  number,
  output,
  podTarget,
  target,
  type Verb,
} from './verb.ts'

const istioctlGlobal = [
  flag('namespace', name, 'n'),
  flag('istioNamespace', name, 'i'),
  flag('log_target', /stderr/),
  flag('kubeclient-timeout', duration),
  flag('vklog', number),
]
const json = output(/short|json|yaml|log|table/i)
const revision = flag('revision', name, 'r')
const adminPort = flag('proxy-admin-port', number)
const file = flag('file', localFile, 'f')

const kinds: readonly (readonly [string, readonly string[], readonly FlagRule[]])[] = [
  [
    'cluster',
    ['clusters', 'c'],
    [flag('fqdn', any), flag('direction', any), flag('subset', any), flag('port', number)],
  ],
  [
    'listener',
    ['listeners', 'l'],
    [flag('address', any), flag('type', any), flag('port', number), flag('verbose'), flag('waypoint')],
  ],
  ['route', ['routes', 'r'], [flag('name', any), flag('verbose')]],
  [
    'endpoint',
    ['endpoints', 'ep'],
    [flag('address', any), flag('port', number), flag('cluster', any), flag('status', any)],
  ],
  ['eds', [], [flag('address', any), flag('port', number), flag('cluster', any), flag('status', any)]],
  ['secret', ['secrets', 's'], []],
  ['bootstrap', ['b'], []],
  ['ecds', ['ec'], []],
  [
    'all',
    ['a'],
    [
      flag('fqdn', any),
      flag('direction', any),
      flag('subset', any),
      flag('port', number),
      flag('address', any),
      flag('type', any),
      flag('name', any),
      flag('verbose'),
      flag('with-headers'),
    ],
  ],
]

const ztunnelKinds: readonly (readonly [string, readonly string[], readonly FlagRule[]])[] = [
  [
    'workload',
    ['workloads', 'w'],
    [flag('workload-namespace', name), flag('workload-node', name), flag('address', any)],
  ],
  ['service', ['services', 's', 'svc'], [flag('service-namespace', name)]],
  ['policy', ['policies', 'p', 'pol'], [flag('policy-namespace', name)]],
  ['certificate', ['certificates', 'certs', 'cert'], []],
  ['connections', ['cons'], [flag('workload-namespace', name), flag('direction', any), flag('raw')]],
  ['all', [], [flag('with-headers')]],
]

const experimental = ['experimental', 'x', 'exp']

function istioctl(
  path: readonly (readonly string[])[],
  flags: readonly FlagRule[],
  words: Verb['words'],
  more?: Partial<Verb>,
): Verb {
  const title = ['istioctl', ...path.map((aliases) => (aliases === experimental ? 'x' : aliases[0]))].join(' ')
  return { file: 'istioctl', path, title, flags: [...istioctlGlobal, ...flags], words, effect: 'reads', ...more }
}

const ztunnelConfig = ['ztunnel-config', 'zc']

/** What istioctl may be asked. */
export const istioctlVerbs: readonly Verb[] = [
  istioctl(
    [['analyze']],
    [
      json,
      allNamespaces,
      flag('failure-threshold', name),
      flag('output-threshold', name),
      flag('suppress', any, 'S'),
      flag('color'),
      flag('verbose', undefined, 'v'),
      flag('list-analyzers', undefined, 'L'),
      flag('use-kube', undefined, 'k'),
      flag('ignore-unknown'),
      flag('timeout', duration),
      revision,
      flag('analyzer', any),
    ],
    { min: 0, max: 1000, pattern: localFile },
  ),
  istioctl([['version']], [json, flag('short', undefined, 's'), flag('remote'), revision], nothing),
  istioctl(
    [['proxy-status', 'ps']],
    [json, flag('verbosity', number, 'v'), revision, adminPort, flag('timeout', duration)],
    podTarget,
  ),
  ...kinds.map(([kind, aliases, flags]) =>
    istioctl(
      [
        ['proxy-config', 'pc'],
        [kind, ...aliases],
      ],
      [json, file, adminPort, ...flags],
      podTarget,
    ),
  ),
  // Without --level and --reset it prints levels; those two change them.
  istioctl(
    [
      ['proxy-config', 'pc'],
      ['log', 'o'],
    ],
    [adminPort],
    { min: 1, max: 1, pattern: target },
  ),
  istioctl(
    [
      ['proxy-config', 'pc'],
      ['rootca-compare', 'rc'],
    ],
    [adminPort],
    { min: 2, max: 2, pattern: target },
  ),
  istioctl([experimental, ['describe', 'des'], ['pod', 'po']], [revision, flag('ignoreUnmeshed'), adminPort], {
    min: 1,
    max: 1,
    pattern: target,
  }),
  istioctl([experimental, ['describe', 'des'], ['service', 'svc']], [revision, flag('ignoreUnmeshed'), adminPort], {
    min: 1,
    max: 1,
    pattern: target,
  }),
  istioctl([experimental, ['authz'], ['check']], [file, adminPort], podTarget),
  istioctl([experimental, ['check-inject']], [flag('labels', any, 'l')], podTarget),
  ...[[ztunnelConfig], [experimental, ztunnelConfig]].flatMap((path) => [
    ...ztunnelKinds.map(([kind, aliases, flags]) =>
      istioctl([...path, [kind, ...aliases]], [json, file, flag('node', name), adminPort, ...flags], podTarget),
    ),
    istioctl([...path, ['log', 'o']], [adminPort], podTarget),
  ]),
  ...[[], [experimental]].flatMap((path) => [
    istioctl([...path, ['waypoint'], ['list']], [allNamespaces], nothing),
    istioctl(
      [...path, ['waypoint'], ['status']],
      [allNamespaces, flag('wait', undefined, 'w'), flag('waypoint-timeout', duration)],
      podTarget,
    ),
  ]),
  istioctl([['remote-clusters']], [revision], nothing),
  istioctl([['validate']], [flag('filename', localFile, 'f'), flag('referential', undefined, 'x')], {
    min: 0,
    max: 1000,
    pattern: localFile,
  }),
  istioctl(
    [['bug-report']],
    [
      flag('include', any),
      flag('exclude', any),
      flag('duration', duration),
      flag('timeout', duration),
      flag('output-dir', localFile),
      flag('dry-run'),
      flag('skip-coredumps'),
      flag('rq-concurrency', number),
    ],
    nothing,
    { onlyOnRequest: true },
  ),
]
