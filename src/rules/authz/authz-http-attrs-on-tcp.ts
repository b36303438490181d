import { type Fix, fired } from '../../model/finding.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { looseFix, policyName } from '../lib/policy-fix.ts'
import { fieldsOf, fieldsText, type RuleField } from '../lib/rule-fields.ts'
import { denyBecause, missBecause, otherRefusal, refusalNeeds, specificHit } from '../lib/specific-miss.ts'
import { callerName, destinationName } from '../lib/words.ts'

const httpKinds: ReadonlySet<string> = new Set(['token', 'host', 'method', 'path', 'header'])

/** On a TCP port nobody reads methods and paths: an ALLOW rule that names them vanishes, a DENY rule covers everything. */
export default defineRule({
  code: 'authz-http-attrs-on-tcp',
  layer: 'protocol',
  severity: 'error',
  explains: ['reset', '403', '503', 'unknown'],
  title: 'A policy names HTTP fields on a port that is treated as TCP',
  why: 'The proxy treats the port as plain TCP, because of its name or appProtocol. ALLOW rules with HTTP fields are left out there, DENY rules lose these fields.',
  needs: refusalNeeds,
  seeAlso: ['https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/'],
  check(situation) {
    const miss = missBecause(situation, 'http-on-tcp')
    const deny = miss ? null : denyBecause(situation, 'http-on-tcp')
    if (miss) {
      const [rule] = miss.detail.nearest
      const fields = rule ? httpFields(fieldsOf(rule.rule)) : []
      const name = rule ? policyName(rule.policy) : 'an ALLOW policy'
      return fired(
        specificHit(situation, miss, {
          title: `${name} names HTTP fields, but port ${portText(situation)} is TCP to the proxy`,
          statement: `The connection of ${callerName(situation)} was handled as TCP and closed. Rule ${rule?.index ?? 0} of ${name} uses ${fieldsText(fields)}; on TCP such an ALLOW rule is left out whole, and nothing else allows the connection.`,
          fix: portFix(situation),
          more: quotePort(situation),
        }),
      )
    }
    if (!deny?.detail.policy) return otherRefusal(situation, 'no rule with HTTP fields was in force on a TCP chain')
    const name = policyName(deny.detail.policy)
    return fired(
      specificHit(situation, deny, {
        title: `${name} denies every connection to port ${portText(situation)}, because the port is TCP to the proxy`,
        statement: `The connection of ${callerName(situation)} was handled as TCP and closed. ${name} uses ${fieldsText(httpFields(fieldsOf(deny.detail.rule)))}; on TCP a DENY rule loses these fields and matches whatever else it says.`,
        fix: portFix(situation),
        more: quotePort(situation),
      }),
    )
  },
})

function httpFields(fields: readonly RuleField[]): readonly RuleField[] {
  return fields.filter(({ kind }) => httpKinds.has(kind))
}

function portText({ server }: Situation): string {
  const { port } = server
  return port ? `${port.port}${port.name ? ` ("${port.name}")` : ''}` : String(server.portNumber ?? '?')
}

function quotePort({ server }: Situation) {
  if (!server.service) return []
  const port: unknown = server.service.object.spec?.ports?.find(
    (entry: { port: number }) => entry.port === server.port?.port,
  )
  return [quoteObject(server.service, `how the Service declares port ${server.port?.port ?? '?'}`, port)]
}

function portFix(situation: Situation): Fix {
  const { service, port } = situation.server
  const { name, namespace } = service?.object.metadata ?? {}
  const index = service?.object.spec?.ports?.findIndex((entry: { port: number }) => entry.port === port?.port) ?? -1
  const risk =
    'the port is then handled as HTTP: anything on it that is not HTTP breaks, and existing connections are closed when the listener is replaced'
  const statement = `If ${destinationName(situation)} speaks HTTP on this port, say so: set appProtocol: http on port ${port?.port ?? '?'} of Service ${namespace}/${name} and leave its name, number and targetPort. If it does not, write the policy with principals and ports only.`
  if (!service || index < 0) return looseFix(statement, destinationName(situation), risk)
  return {
    statement,
    commands: [
      `kubectl -n ${namespace} patch service ${name} --type=json -p '[{"op":"add","path":"/spec/ports/${index}/appProtocol","value":"http"}]'`,
    ],
    scope: `every caller of port ${port?.port} of Service ${namespace}/${name}`,
    risk,
    undo: `kubectl -n ${namespace} patch service ${name} --type=json -p '[{"op":"remove","path":"/spec/ports/${index}/appProtocol"}]'`,
  }
}
