import type { PodView } from '../../situation/pods.ts'
import { type ContainerView, containersOf } from './pod-facts.ts'

export interface Ended {
  readonly reason: string | null
  readonly exitCode: number | null
  readonly finishedAt: string | null
}

/** How a container ended last: now, or before its last restart. */
export function lastEnd({ status }: ContainerView): Ended | null {
  const terminated = status?.lastState?.terminated ?? status?.state?.terminated
  if (!terminated) return null
  return {
    reason: terminated.reason ?? null,
    exitCode: terminated.exitCode ?? null,
    finishedAt: terminated.finishedAt ?? null,
  }
}

export function isRunning({ status }: ContainerView): boolean {
  return status?.state?.running !== undefined
}

export function hasTerminated({ status }: ContainerView): boolean {
  return status?.state?.terminated !== undefined
}

export function proxyContainer(pod: PodView): ContainerView | null {
  return containersOf(pod).find(({ name, init, native }) => name === 'istio-proxy' && (!init || native)) ?? null
}

export function appContainers(pod: PodView): readonly ContainerView[] {
  return containersOf(pod).filter(({ name, init }) => !init && name !== 'istio-proxy')
}

/** Seconds between two times; null where one of them is not known. */
export function secondsBetween(from: string | null | undefined, to: string | null | undefined): number | null {
  const seconds = (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000
  return Number.isFinite(seconds) ? seconds : null
}
