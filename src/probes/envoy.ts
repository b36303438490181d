import clustersParser from '../../parsers/envoy-clusters.ts'
import serverInfoParser from '../../parsers/envoy-server-info.ts'
import statsParser from '../../parsers/envoy-stats.ts'
import type { PodView } from '../situation/pods.ts'
import { count, defineProbe, kubectl, planForEnvoys } from './define.ts'

function get(pod: PodView, path: string) {
  return kubectl(
    'exec',
    pod.name,
    '-n',
    pod.namespace,
    '-c',
    'istio-proxy',
    '--',
    'pilot-agent',
    'request',
    'GET',
    path,
  )
}

/** Counters since the proxy started: they prove that something happened, not when. */
export const stats = defineProbe({
  name: 'stats',
  isOptional: true,
  roles: ['client', 'server', 'gateway', 'waypoint'],
  title: "the proxy's counters",
  layer: 'proxy-resource',
  needsExec: true,
  plan: (situation, role) => planForEnvoys(situation, role, 1, (pod) => get(pod, 'stats')),
  read: ({ stdout }) => statsParser.parse(stdout),
  learned: (data) => count(data.stats.length, 'counter'),
})

export const hosts = defineProbe({
  name: 'hosts',
  isOptional: true,
  roles: ['client', 'server', 'gateway', 'waypoint'],
  title: 'health and limits per upstream host',
  layer: 'client-sidecar-cluster',
  needsExec: true,
  plan: (situation, role) => planForEnvoys(situation, role, 1, (pod) => get(pod, 'clusters?format=json')),
  read: ({ stdout }) => clustersParser.parse(stdout),
  learned: (data) => count(data.length, 'cluster'),
})

export const serverInfo = defineProbe({
  name: 'serverInfo',
  isOptional: true,
  roles: ['client', 'server', 'gateway', 'waypoint'],
  title: 'state and uptime of the proxy',
  layer: 'proxy-resource',
  needsExec: true,
  plan: (situation, role) => planForEnvoys(situation, role, 1, (pod) => get(pod, 'server_info')),
  read: ({ stdout }) => serverInfoParser.parse(stdout),
  learned: (data) => `${data.envoyVersion ?? 'Envoy of unknown version'}, ${data.state}`,
})
