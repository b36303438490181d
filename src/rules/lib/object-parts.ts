import type { KubeObject } from '../../model/kube.ts'

/** `trafficPolicy.portLevelSettings[8080].tls`: names of a DestinationRule's parts as the evaluators write them. */
const segment = /([A-Za-z]+)(?:\[([^\]]+)\])?/g

/** The JSON pointer of a part, for a patch that removes it and nothing else. Null when the object has no such part. */
export function pointerTo(object: KubeObject, field: string): string | null {
  let here: unknown = object.spec
  let pointer = '/spec'
  for (const [, name = '', key] of field.matchAll(segment)) {
    here = (here as Record<string, unknown> | undefined)?.[name] // any object; what is not there is undefined
    pointer += `/${name}`
    if (here === undefined) return null
    if (key === undefined) continue
    if (!Array.isArray(here)) return null
    const index = here.findIndex((entry) => entry?.name === key || String(entry?.port?.number) === key)
    if (index < 0) return null
    here = here[index]
    pointer += `/${index}`
  }
  return pointer
}

/** Everything beside a part that must stay: `trafficPolicy.connectionPool, subsets v1 and v2`. Null when there is nothing else. */
export function partsBeside(object: KubeObject, field: string): string | null {
  const beside: string[] = []
  let here: unknown = object.spec
  let path = ''
  for (const [, name = '', key] of field.matchAll(segment)) {
    if (typeof here !== 'object' || here === null) break
    for (const other of Object.keys(here))
      if (other !== name && !identity.has(other)) beside.push(named(`${path}${other}`, Reflect.get(here, other)))
    here = Reflect.get(here, name)
    path += `${name}.`
    if (key === undefined || !Array.isArray(here)) continue
    const own = here.find((entry) => entry?.name === key || String(entry?.port?.number) === key)
    const others = here.filter((entry) => entry !== own)
    if (others.length > 0) beside.push(named(path.slice(0, -1), others))
    here = own
    path = `${path.slice(0, -1)}[${key}].`
  }
  return beside.length === 0 ? null : beside.join(', ')
}

/** What says which object or entry it is, rather than what it does. */
const identity = new Set(['host', 'name', 'labels', 'port'])

function named(path: string, value: unknown): string {
  if (!Array.isArray(value)) return path
  const names = value.flatMap((entry) => entry?.name ?? entry?.port?.number ?? [])
  return names.length === value.length && names.length > 0 ? `${path} ${names.join(' and ')}` : path
}
