import { type AccessNeed, accessNeeds, type NeedScope } from './rbac-needs.ts'

export interface RbacOptions {
  /** Empty: a ClusterRole, for calls between any namespaces. */
  readonly namespaces: readonly string[]
  readonly istioNamespace: string
  readonly gatewayNamespaces: readonly string[]
  readonly revisions: readonly string[]
  readonly noExec: boolean
  /** Whom to bind the roles to; null: roles only. */
  readonly subject: RbacSubject | null
}

export type RbacSubject =
  | { readonly kind: 'User' | 'Group'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly name: string; readonly namespace: string }

export interface RbacRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface RbacRole {
  readonly kind: 'Role' | 'ClusterRole'
  readonly name: string
  readonly namespace: string | null
  readonly needs: readonly AccessNeed[]
  readonly rules: readonly RbacRule[]
}

export interface Rbac {
  readonly roles: readonly RbacRole[]
  /** What the chosen variant leaves out. */
  readonly leftOut: readonly AccessNeed[]
}

const name = 'meshtriage'

/** The smallest roles under which a walk finds nothing forbidden. */
export function rbacOf(options: RbacOptions): Rbac {
  const wanted = accessNeeds
    .filter(({ needsExec }) => !(needsExec && options.noExec))
    .map((need) => (need.names?.[0] === 'istio' ? { ...need, names: meshConfigNames(options.revisions) } : need))
  const of = (...scopes: readonly NeedScope[]) => wanted.filter(({ scope }) => scopes.includes(scope))
  const { namespaces, istioNamespace, gatewayNamespaces } = options
  const roles: RbacRole[] = []
  const add = (kind: RbacRole['kind'], namespace: string | null, needs: readonly AccessNeed[]) => {
    if (needs.length > 0)
      roles.push({ kind, name, namespace, needs, rules: needs.map((need) => ruleOf(need, namespace)) })
  }
  if (namespaces.length === 0) {
    add('ClusterRole', null, of('call', 'cluster'))
    for (const namespace of unique([istioNamespace, ...gatewayNamespaces]))
      add('Role', namespace, [
        ...(namespace === istioNamespace ? of('istio') : []),
        ...(gatewayNamespaces.includes(namespace) ? of('gateway') : []),
      ])
  } else {
    // Policies of the root namespace hold everywhere, and gateways stand in namespaces of their own.
    for (const namespace of unique([...namespaces, istioNamespace, ...gatewayNamespaces]))
      add('Role', namespace, [
        ...of('call'),
        ...(namespace === istioNamespace ? of('istio') : []),
        ...(gatewayNamespaces.includes(namespace) ? of('gateway') : []),
      ])
  }
  const isIn = new Set(roles.flatMap(({ needs }) => needs.map(keyOf)))
  return { roles, leftOut: accessNeeds.filter((need) => !isIn.has(keyOf(need))) }
}

function keyOf({ group, resources }: AccessNeed): string {
  return `${group}/${resources.join()}`
}

function meshConfigNames(revisions: readonly string[]): readonly string[] {
  return unique([
    'istio',
    ...revisions.filter((revision) => revision !== 'default').map((revision) => `istio-${revision}`),
  ])
}

/** Within one namespace a namespace can be read, but namespaces cannot be listed. */
function ruleOf({ group, resources, verbs, names }: AccessNeed, namespace: string | null): RbacRule {
  const possible = namespace !== null && resources[0] === 'namespaces' ? ['get'] : verbs
  return { apiGroups: [group], resources, verbs: possible, ...(names ? { resourceNames: names } : {}) }
}

/** Manifests for `kubectl apply -f -`, each rule with what it is for. */
export function rbacYaml(rbac: Rbac, options: RbacOptions): string {
  const documents = rbac.roles.flatMap((role) => [
    roleYaml(role),
    ...(options.subject ? [bindingYaml(role, options.subject)] : []),
  ])
  const head = [
    '# What a walk of meshtriage needs, and nothing besides.',
    ...(options.noExec
      ? ['# Without exec, port-forward and tokens: run it with --no-exec.']
      : comment(
          'The walk only reads. As rights, exec and port-forward could do more: --no-exec leaves them out.',
          '# ',
        )),
    ...(options.subject
      ? []
      : ['# Nobody is bound to it yet: --user, --group or --serviceaccount print the bindings too.']),
    ...(rbac.leftOut.length > 0 ? ['#', '# Left out, and what a walk then cannot say:'] : []),
    ...rbac.leftOut.flatMap(({ resources, group, lost }) =>
      comment(`${resources.join(', ')}${group === '' ? '' : `.${group}`}: ${lost}`, '#   '),
    ),
    ...(options.namespaces.length > 0
      ? [
          '#',
          ...comment(
            'istioctl analyze reads all namespaces, and waits in vain without the right to: it is given up after 45 s.',
            '# ',
          ),
          ...comment(
            'Whose address stands in a log line is asked of all namespaces: name both ends with --from and --to.',
            '# ',
          ),
        ]
      : comment(
          'istioctl analyze also wants to list Secrets everywhere. That is not granted here: where it waits in vain, it is given up after 45 s.',
          '# ',
        )),
  ]
  return `${head.join('\n')}\n---\n${documents.join('---\n')}`
}

function roleYaml({ kind, name: called, namespace, needs, rules }: RbacRole): string {
  const lines = [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}`,
    'metadata:',
    `  name: ${called}`,
    ...(namespace === null ? [] : [`  namespace: ${quoted(namespace)}`]),
    'rules:',
  ]
  for (const [index, rule] of rules.entries()) {
    const need = needs[index]
    if (need) lines.push(...comment(`without it: ${need.lost}`, '  # '))
    lines.push(
      `  - apiGroups: [${rule.apiGroups.map(quoted).join(', ')}]`,
      `    resources: [${rule.resources.map(quoted).join(', ')}]`,
      ...(rule.resourceNames ? [`    resourceNames: [${rule.resourceNames.map(quoted).join(', ')}]`] : []),
      `    verbs: [${rule.verbs.map(quoted).join(', ')}]`,
    )
  }
  return `${lines.join('\n')}\n`
}

function bindingYaml({ kind, name: called, namespace }: RbacRole, subject: RbacSubject): string {
  const lines = [
    'apiVersion: rbac.authorization.k8s.io/v1',
    `kind: ${kind}Binding`,
    'metadata:',
    `  name: ${called}`,
    ...(namespace === null ? [] : [`  namespace: ${quoted(namespace)}`]),
    'roleRef:',
    '  apiGroup: rbac.authorization.k8s.io',
    `  kind: ${kind}`,
    `  name: ${called}`,
    'subjects:',
    `  - kind: ${subject.kind}`,
    `    name: ${quoted(subject.name)}`,
    subject.kind === 'ServiceAccount'
      ? `    namespace: ${quoted(subject.namespace)}`
      : '    apiGroup: rbac.authorization.k8s.io',
  ]
  return `${lines.join('\n')}\n`
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length > 98) {
      lines.push(indent + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, indent + line]
}

/** JSON strings are YAML strings, whatever is in them. */
function quoted(text: string): string {
  return JSON.stringify(text)
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
