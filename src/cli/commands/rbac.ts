import { Option } from 'commander'
import { UserError } from '../../model/errors.ts'
import { type RbacOptions, type RbacSubject, rbacOf, rbacYaml } from '../../report/rbac.ts'
import { exitCodes } from '../exit-codes.ts'
import { print } from '../io.ts'
import type { CliCommand } from '../program.ts'

interface RbacFlags {
  readonly namespace?: readonly string[]
  readonly istioNamespace: string
  readonly gatewayNamespace: readonly string[]
  readonly revision?: readonly string[]
  readonly exec: boolean
  readonly user?: string
  readonly group?: string
  readonly serviceaccount?: string
  readonly output: 'yaml' | 'json'
}

const examples = `
Examples:
  meshtriage rbac                                        a ClusterRole, for calls between any namespaces
  meshtriage rbac --namespace shop pay                   Roles only, for calls between these namespaces
  meshtriage rbac --no-exec --group sre | kubectl apply --dry-run=client -f -
  meshtriage rbac --serviceaccount ops:triage -o json

It prints and applies nothing.
`

const rbac: CliCommand = {
  name: 'rbac',
  register(program, io, done) {
    program
      .command('rbac')
      .description('the smallest Role or ClusterRole that a walk needs, as YAML')
      .option('-n, --namespace <name...>', 'Roles for these namespaces instead of a ClusterRole')
      .option('-i, --istio-namespace <name>', 'where istiod runs', 'istio-system')
      .option('--gateway-namespace <name...>', 'where gateways run, for the names of their Secrets', [
        'istio-system',
        'istio-ingress',
      ])
      .option('-r, --revision <name...>', 'revisions of the control plane, for their ConfigMaps')
      .option('--no-exec', 'without exec, port-forward and tokens: for walks with --no-exec')
      .option('--user <name>', 'bind the roles to this user')
      .option('--group <name>', 'bind the roles to this group')
      .option('--serviceaccount <namespace:name>', 'bind the roles to this service account')
      .addOption(new Option('-o, --output <format>', 'form of the result').choices(['yaml', 'json']).default('yaml'))
      .addHelpText('after', examples)
      .action(async (flags: RbacFlags) => {
        const options: RbacOptions = {
          namespaces: names(flags.namespace ?? [], '--namespace'),
          istioNamespace: names([flags.istioNamespace], '--istio-namespace')[0] ?? flags.istioNamespace,
          gatewayNamespaces: names(flags.gatewayNamespace, '--gateway-namespace'),
          revisions: names(flags.revision ?? [], '--revision'),
          noExec: !flags.exec,
          subject: subjectOf(flags),
        }
        const found = rbacOf(options)
        await print(
          io.stdout,
          flags.output === 'json'
            ? `${JSON.stringify({ kind: 'RbacRoles', schemaVersion: '1.0', ...found }, null, 2)}\n`
            : rbacYaml(found, options),
        )
        done(exitCodes.clean)
      })
  },
}
export default rbac

/** `shop pay` and `shop,pay` alike. */
function names(given: readonly string[], flag: string): readonly string[] {
  const all = given.flatMap((text) => text.split(',')).filter((text) => text !== '')
  const odd = all.find((text) => !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text))
  if (odd !== undefined)
    throw new UserError(`${flag} ${odd}: no name that Kubernetes knows`, 'small letters, digits and dashes')
  return all
}

function subjectOf({ user, group, serviceaccount }: RbacFlags): RbacSubject | null {
  if ([user, group, serviceaccount].filter((one) => one !== undefined).length > 1)
    throw new UserError('--user, --group and --serviceaccount exclude each other', 'run it once for each')
  if (user !== undefined) return { kind: 'User', name: user }
  if (group !== undefined) return { kind: 'Group', name: group }
  if (serviceaccount === undefined) return null
  const [namespace, name, ...more] = serviceaccount.split(':')
  if (!namespace || !name || more.length > 0)
    throw new UserError(
      `--serviceaccount ${serviceaccount}: no account`,
      'write NAMESPACE:NAME, as kubectl create rolebinding does',
    )
  return { kind: 'ServiceAccount', name, namespace }
}
