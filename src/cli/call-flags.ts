import type { Command } from 'commander'
import { emptyGiven, type Given } from '../model/call.ts'
import { UserError } from '../model/errors.ts'
import type { Settings } from './settings.ts'
import { type ClusterFlags, readHeader } from './shared-options.ts'
import { readTarget } from './target.ts'

/** One call, as flags describe it. */
export interface CallFlags extends ClusterFlags {
  readonly from?: string
  readonly to?: string
  readonly host?: string
  readonly method?: string
  readonly path?: string
  readonly header?: string[]
}

export function addCallOptions(command: Command): Command {
  return command
    .option(
      '--from <target>',
      'who calls: deploy/web.shop, pod/web-1.shop, sa/web.shop; left out: not known, or outside',
    )
    .option('--to <target>', 'what is called: svc/ledger.pay:8080, or a host')
    .option('--host <name>', 'Host header or SNI the caller uses')
    .option('--method <verb>', 'HTTP method')
    .option('--path <path>', 'path of the request, with query')
    .option('--header <name=value...>', 'a header the caller sends; may be repeated')
}

export function callOf(flags: CallFlags, settings: Settings): Given {
  return {
    ...emptyGiven('unknown'),
    from: flags.from === undefined ? null : readTarget(flags.from),
    to: flags.to === undefined ? null : readTarget(flags.to),
    host: flags.host ?? null,
    method: flags.method?.toUpperCase() ?? null,
    path: flags.path === undefined ? null : readPath(flags.path),
    headers: (flags.header ?? []).map(readHeader),
    namespace: flags.namespace ?? settings.namespace ?? null,
    istioNamespace: flags.istioNamespace ?? settings.istioNamespace ?? 'istio-system',
    revision: flags.revision ?? settings.revision ?? null,
    noExec: settings.exec === false,
  }
}

function readPath(path: string): string {
  if (path.startsWith('/') || path === '*') return path
  throw new UserError(`--path ${path}: a path begins with /`, `write --path /${path}`)
}
