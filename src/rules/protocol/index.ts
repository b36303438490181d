import type { AnyRule } from '../../model/finding.ts'
import grpcOnHttp1Port from './grpc-on-http1-port.ts'
import headerTooLarge431 from './header-too-large-431.ts'
import http10426 from './http10-426.ts'
import httpsToHttpPort from './https-to-http-port.ts'
import payload413 from './payload-413.ts'
import portProtocolUndeclared from './port-protocol-undeclared.ts'
import serverFirstProtocolHang from './server-first-protocol-hang.ts'
import websocketUpgradeBroken from './websocket-upgrade-broken.ts'

export const protocolRules: readonly AnyRule[] = [
  grpcOnHttp1Port,
  headerTooLarge431,
  http10426,
  httpsToHttpPort,
  payload413,
  portProtocolUndeclared,
  serverFirstProtocolHang,
  websocketUpgradeBroken,
]
