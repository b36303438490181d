import type { NextStep, NotChecked } from '../model/diagnosis.ts'
import type { Layer } from '../model/layer.ts'
import { ipOf } from './hints.ts'
import type { PodView } from './pods.ts'
import type { Situation } from './situation.ts'
import { ztunnelOfCall } from './ztunnel-lines.ts'

/** Where to look when nothing that was read explains the call: what stays open, and the command that reads on. */
export interface NextLook {
  readonly gap: NotChecked
  readonly step: NextStep
}

export function nextLookOf(situation: Situation): NextLook {
  return behindTheLine(situation) ?? alongTheCall(situation)
}

/** A line shows the failure: whoever stands behind the last proxy that logged it knows more. */
function behindTheLine(situation: Situation): NextLook | null {
  const { sample } = situation
  const line = sample?.server ?? sample?.waypoint ?? sample?.gateway ?? sample?.client
  if (!sample || !line) return null
  const said = [line.record.code ?? 0, line.record.flags.join(','), line.record.details].filter(Boolean).join(' ')
  const at = line.pod ? nameOf(line.pod) : 'the proxy that logged it'
  if (sample.server && line.pod)
    return look({
      what: `what ${said} at ${at} comes from`,
      layer: 'app',
      reason: 'nothing else that was read is of these requests',
      command: `kubectl logs ${podArgs(line.pod)} --all-containers --tail=200`,
      why: `the application’s own lines around ${line.record.time ?? 'that time'} say what it did`,
    })
  const address = ipOf(line.record.upstreamHost)
  const pod = situation.podByIp(address) ?? (address === null ? null : situation.server.pod)
  if (address !== null && !pod)
    return look({
      what: `whose address ${address} is, where these requests went`,
      layer: 'network',
      reason: 'no pod, service or other object that was read has it',
      command: `kubectl get pods -A -o wide --field-selector status.podIP=${address}`,
      why: `a pod of that address is who ended these requests with ${said}; no pod means that ${at} sends to one that is gone`,
    })
  if (pod)
    return look({
      what: `what became of these requests at ${nameOf(pod)}`,
      layer: pod.hasEnvoy ? 'observability' : 'app',
      reason: pod.hasEnvoy
        ? 'no line of its proxy that was read is of them: they never got so far, or the log begins later'
        : 'it has no proxy that would log them',
      command: `kubectl logs ${podArgs(pod)}${pod.hasEnvoy ? ' -c istio-proxy' : ' --all-containers'} --tail=-1`,
      why: `its lines around ${line.record.time ?? 'that time'} say whether the requests arrived, and what happened to them; ${at} says ${said}`,
    })
  return look({
    what: `why ${at} said ${said}`,
    layer: 'client-sidecar-routing',
    reason: 'it answered by itself, and nothing of its configuration that was read explains it',
    command: line.pod ? `istioctl proxy-config all ${nameOf(line.pod)} -o json` : 'istioctl proxy-status',
    why: line.pod
      ? 'the listener, route and cluster of this request stand there as the proxy has them'
      : 'it shows which proxies there are, and whether they have their configuration',
  })
}

/** No line shows it: the logs of whoever is on the way, nearest to the caller first. */
function alongTheCall(situation: Situation): NextLook {
  const { client, gateway, server, given } = situation
  const [tunnel] = ztunnelOfCall(situation)
  const node = tunnel?.pod ?? null
  const front = [client.pod, gateway?.pods[0] ?? null, server.pod].find((pod) => pod?.hasEnvoy) ?? null
  const pod = node ?? front ?? server.pod ?? client.pod
  const what = 'the requests that are complained about'
  if (!pod)
    return look({
      what,
      layer: 'client',
      reason: 'none of their ends was found, so there was no log to read',
      command: 'kubectl get pods -A -o wide',
      why: 'it shows which pods there are, to name both ends with --from and --to',
    })
  const container = pod === node ? '' : pod.hasEnvoy ? ' -c istio-proxy' : ' --all-containers'
  return look({
    what,
    layer: 'observability',
    reason: `what was read of ${nameOf(pod)}${given.since ? ` since ${given.since}` : ''} does not say why they fail`,
    command: `kubectl logs ${podArgs(pod)}${container} --tail=-1`,
    why: 'read while the request is sent again, its new lines say how far it came and who answered',
  })
}

function look(said: {
  readonly what: string
  readonly layer: Layer
  readonly reason: string
  readonly command: string
  readonly why: string
}): NextLook {
  const { what, layer, reason, command, why } = said
  return {
    gap: { what, layer, reason, unlock: command },
    step: { command, statement: null, because: why, effect: 'reads' },
  }
}

function nameOf({ name, namespace }: PodView): string {
  return `${name}.${namespace}`
}

function podArgs({ name, namespace }: PodView): string {
  return `-n ${namespace} ${name}`
}
