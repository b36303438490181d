import { normalisePath } from '../../mesh/authorize/path-normalise.ts'
import type { AuthzRequest } from '../../mesh/authorize.ts'
import type { Situation } from '../../situation/situation.ts'
import type { Judged } from './allow-miss.ts'

/** The same path or host in another spelling, which the rule would take. */
export function otherSpelling(
  situation: Situation,
  { exchange, line }: Judged,
  request: AuthzRequest,
  fits: (changed: AuthzRequest) => boolean,
): string | null {
  const { path, host } = request
  const front = exchange?.client ?? exchange?.gateway ?? null
  if (path !== undefined) {
    const bare = path.split('?', 1)[0] ?? path
    const decoded = normalisePath(bare, 'DECODE_AND_MERGE_SLASHES')
    const candidates: readonly (readonly [string, string])[] = [
      [bare.endsWith('/') ? bare.replace(/\/+$/, '') || '/' : `${bare}/`, 'differs by a slash at the end'],
      [
        decoded.kind === 'path' ? decoded.path : bare,
        `differs once escapes and double slashes are resolved, which normalization ${situation.mesh.pathNormalization} does not do`,
      ],
      [bare.toLowerCase(), 'differs in upper and lower case'],
      ...(front && front !== line && front.record.path && front.record.path !== path
        ? ([
            [front.record.path, `is what the caller sent; a route rewrote it to ${path} before the policy saw it`],
          ] as const)
        : []),
    ]
    const near = candidates.find(([candidate]) => candidate !== bare && fits({ ...request, path: candidate }))
    if (near) return `the path is ${bare}, the rule would take ${near[0]}, which ${near[1]}`
  }
  if (host !== undefined) {
    const bare = host.replace(/:\d+$/, '')
    const port = situation.server.portNumber
    const candidates = [
      ...(bare === host ? (port === null ? [] : [`${host}:${port}`]) : [bare]),
      ...(situation.server.host ? [situation.server.host, `${situation.server.host}:${port}`] : []),
      ...(front?.record.authority && front !== line ? [front.record.authority] : []),
    ]
    const near = candidates.find((candidate) => candidate !== host && fits({ ...request, host: candidate }))
    if (near) return `the host is ${host}, the rule would take ${near}`
  }
  return null
}
