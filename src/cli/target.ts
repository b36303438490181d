import type { Target } from '../model/call.ts'
import { UserError } from '../model/errors.ts'

const kinds: Readonly<Record<string, string>> = {
  deploy: 'deploy',
  deployment: 'deploy',
  deployments: 'deploy',
  pod: 'pod',
  pods: 'pod',
  po: 'pod',
  svc: 'svc',
  service: 'svc',
  services: 'svc',
  sa: 'sa',
  serviceaccount: 'sa',
  sts: 'sts',
  statefulset: 'sts',
  ds: 'ds',
  daemonset: 'ds',
  rs: 'rs',
  replicaset: 'rs',
  job: 'job',
  jobs: 'job',
  cronjob: 'cronjob',
  cj: 'cronjob',
}

/** `[deploy|pod|svc|sa|…/]NAME[.NAMESPACE][:PORT]`, as istioctl takes it; also full host names and addresses. */
export function readTarget(text: string): Target {
  const slash = text.indexOf('/')
  const word = slash < 0 ? null : text.slice(0, slash).toLowerCase()
  const kind = word === null ? null : (kinds[word] ?? null)
  if (word !== null && kind === null) {
    throw new UserError(
      `"${text}": ${word} is no kind of target`,
      `known kinds: ${[...new Set(Object.values(kinds))].join(', ')}; for example deploy/web.shop or svc/ledger.pay:8080`,
    )
  }
  const rest = slash < 0 ? text : text.slice(slash + 1)
  const portMatch = /:(\d{1,5})$/.exec(rest)
  const port = portMatch ? Number(portMatch[1]) : null
  if (port !== null && (port < 1 || port > 65535))
    throw new UserError(`"${text}": ${port} is no port`, 'ports are 1 to 65535')
  const name = portMatch ? rest.slice(0, portMatch.index) : rest
  // `pod:abc` must not be read as a name with a colon.
  if (name === '' || !/^[A-Za-z0-9_*]([A-Za-z0-9_.*-]*[A-Za-z0-9_*])?$/.test(name)) {
    throw new UserError(
      `"${text}" is no target`,
      'a target is [KIND/]NAME[.NAMESPACE][:PORT], for example deploy/web.shop or svc/ledger.pay:8080',
    )
  }
  const host = /^([^.]+)\.([^.]+)\.svc(\..*)?$/.exec(name)
  if (host) return { kind: kind ?? 'svc', name: host[1] ?? name, namespace: host[2] ?? null, port, text }
  const parts = name.split('.')
  // Pod names may hold dots; istioctl splits at the last one. Names with more are hosts.
  if (kind !== null && kind !== 'svc') {
    const last = name.lastIndexOf('.')
    return last < 0
      ? { kind, name, namespace: null, port, text }
      : { kind, name: name.slice(0, last), namespace: name.slice(last + 1), port, text }
  }
  if (parts.length > 2 || /^\d+\.\d+\.\d+\.\d+$/.test(name)) return { kind: null, name, namespace: null, port, text }
  return { kind, name: parts[0] ?? name, namespace: parts[1] ?? null, port, text }
}
