import type { ServicePort } from '../../situation/ends.ts'

/** The Service says that the port speaks HTTP/2: by appProtocol, else by the word before the first dash of its name. */
export function speaksHttp2(port: ServicePort | null): boolean {
  const word = port?.appProtocol?.toLowerCase() ?? port?.name?.split('-')[0]?.toLowerCase() ?? ''
  return word === 'http2' || word === 'grpc' || word === 'kubernetes.io/h2c'
}
