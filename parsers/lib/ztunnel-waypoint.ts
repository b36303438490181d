import { asFields, textOf } from './fields.ts'

/** A cell of the column WAYPOINT: `None`, a name, or `NA` where ztunnel knows one that istioctl could not name. */
export function waypointOfCell(cell: string): string | null {
  return cell === '' || cell === 'None' ? null : cell
}

/** `{ destination: "namespace/hostname" }` or `{ destination: "network/address" }`. */
export function waypointOfJson(value: unknown): { waypoint: string | null; waypointDestination: string | null } {
  if (value === null || value === undefined) return { waypoint: null, waypointDestination: null }
  const destination = textOf(asFields(value, 'a waypoint').destination)
  if (destination === null) return { waypoint: 'NA', waypointDestination: null }
  const host = destination.slice(destination.indexOf('/') + 1)
  const isName = /^[a-z]/i.test(host) && host.includes('.svc.')
  return { waypoint: isName ? host.slice(0, host.indexOf('.')) : 'NA', waypointDestination: destination }
}
