import type { AnyRule } from '../../model/finding.ts'
import appClosesConnection from './app-closes-connection.ts'
import appOwn4xx from './app-own-4xx.ts'
import appOwn5xx from './app-own-5xx.ts'
import appOwn404 from './app-own-404.ts'
import invalidUpstreamHeaders from './invalid-upstream-headers.ts'
import ucKeepaliveRace from './uc-keepalive-race.ts'
import ufConnectionRefused from './uf-connection-refused.ts'
import ufLocalhostBind from './uf-localhost-bind.ts'
import urRemoteResetH2 from './ur-remote-reset-h2.ts'

export const appRules: readonly AnyRule[] = [
  appClosesConnection,
  appOwn404,
  appOwn4xx,
  appOwn5xx,
  invalidUpstreamHeaders,
  ucKeepaliveRace,
  ufConnectionRefused,
  ufLocalhostBind,
  urRemoteResetH2,
]
