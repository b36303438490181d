import type { Fix } from '../../model/finding.ts'
import type { KubeObject } from '../../model/kube.ts'
import { partsBeside, pointerTo } from './object-parts.ts'
import { nameOf } from './transport.ts'
import { quoted } from './words.ts'

/** Takes the tls block out of a DestinationRule, so that automatic mutual TLS decides, and leaves the rest alone. */
export function removeTlsBlock(rule: KubeObject, field: string, autoMtls: boolean): Fix {
  const name = nameOf(rule)
  const { namespace, name: bare } = rule.metadata
  const resource = `destinationrules.networking.istio.io ${quoted(bare)}`
  const beside = partsBeside(rule, field)
  const pointer = pointerTo(rule, field)
  const keep = beside ? ` Keep ${beside} as they are.` : ' It has no other settings.'
  const common = {
    scope: `callers for whom DestinationRule ${name} counts, towards ${String(rule.spec?.host ?? 'its host')}`,
    risk: 'a destination outside the mesh that was served by this block would be called differently, so check that the host has no other pods',
    undo: `save it first: kubectl -n ${namespace} get ${resource} -o yaml, and apply that again`,
  }
  if (!autoMtls)
    return {
      statement: `Set ${field}.mode to ISTIO_MUTUAL in DestinationRule ${name}: automatic mutual TLS is off in this mesh.${keep}`,
      commands: [
        pointer
          ? `kubectl -n ${namespace} patch ${resource} --type=json -p ${quoted(JSON.stringify([{ op: 'replace', path: pointer, value: { mode: 'ISTIO_MUTUAL' } }]))}`
          : `kubectl -n ${namespace} edit ${resource}`,
      ],
      ...common,
    }
  return {
    statement: `Remove spec.${field} from DestinationRule ${name}; the proxies then choose mutual TLS by themselves where the destination can do it.${keep}`,
    commands: [
      pointer
        ? `kubectl -n ${namespace} patch ${resource} --type=json -p ${quoted(JSON.stringify([{ op: 'remove', path: pointer }]))}`
        : `kubectl -n ${namespace} edit ${resource}`,
    ],
    ...common,
  }
}
