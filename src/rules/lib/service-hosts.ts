import { resolveHost } from '../../mesh/hosts.ts'

/** Whether a host of a VirtualService or DestinationRule, short or full, is this Service: short names mean its own namespace. */
export function isServiceHost(host: string, namespace: string | undefined, full: string): boolean {
  if (host === full) return true
  return resolveHost(host, namespace ?? 'default') === full || full.startsWith(`${host}.svc.`)
}
