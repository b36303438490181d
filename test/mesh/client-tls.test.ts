import { describe, expect, test } from 'vitest'
import { clientTls, type TlsQuestion } from '../../src/mesh/client-tls.ts'

const istio = { labels: { 'security.istio.io/tlsMode': 'istio' }, effectiveMode: 'PERMISSIVE' } as const
const bare = { labels: {}, effectiveMode: 'PERMISSIVE' } as const
const base: TlsQuestion = {
  rules: [],
  mesh: { rootNamespace: 'istio-system' },
  client: { namespace: 'shop', labels: {}, proxy: 'sidecar' },
  service: { host: 'web.srv.svc.cluster.local', namespace: 'srv' },
  port: 80,
  endpoint: istio,
}
const rule = (trafficPolicy: object, more: object = {}) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata: { name: 'web', namespace: 'srv' },
  spec: { host: 'web', trafficPolicy, ...more },
})
const mode = (name: string, more: object = {}) => rule({ tls: { mode: name, ...more } })
const service = base.service!

describe('what the client sends', () => {
  test.each<[string, Partial<TlsQuestion>, string]>([
    ['auto mTLS, sidecar at the server', {}, 'istio-mtls'],
    ['auto mTLS, no sidecar', { endpoint: bare }, 'plaintext'],
    ['auto mTLS, port DISABLE', { endpoint: { ...istio, effectiveMode: 'DISABLE' } }, 'plaintext'],
    ['auto mTLS, namespace DISABLE', { service: { ...service, namespaceMode: 'DISABLE' } }, 'plaintext'],
    ['auto mTLS switched off', { mesh: { rootNamespace: 'istio-system', enableAutoMtls: false } }, 'plaintext'],
    ['outside the mesh', { service: { ...service, external: true } }, 'plaintext'],
    ['no proxy', { client: { ...base.client, proxy: 'none' } }, 'plaintext'],
    ['unknown address', { service: null }, 'plaintext'],
    ['DISABLE', { rules: [mode('DISABLE')] }, 'plaintext'],
    ['an empty tls block', { rules: [rule({ tls: {} })] }, 'plaintext'],
    ['SIMPLE', { rules: [mode('SIMPLE')] }, 'simple-tls'],
    ['MUTUAL', { rules: [mode('MUTUAL')] }, 'mutual-tls'],
    [
      'a Secret in a rule for everybody never reaches a sidecar',
      { rules: [mode('SIMPLE', { credentialName: 'ca' })] },
      'plaintext',
    ],
    [
      'a Secret in a rule for chosen workloads',
      {
        client: { ...base.client, namespace: 'srv', labels: { app: 'web' } },
        rules: [
          rule(
            { tls: { mode: 'SIMPLE', credentialName: 'ca' } },
            { workloadSelector: { matchLabels: { app: 'web' } } },
          ),
        ],
      },
      'simple-tls',
    ],
    [
      'a ConfigMap may be read by everybody',
      { rules: [mode('SIMPLE', { credentialName: 'configmap://ca' })] },
      'simple-tls',
    ],
    [
      'gateways read the Secret',
      {
        client: { ...base.client, proxy: 'gateway', gateway: true },
        rules: [mode('MUTUAL', { credentialName: 'ca' })],
      },
      'mutual-tls',
    ],
    ['ISTIO_MUTUAL without sidecar', { rules: [mode('ISTIO_MUTUAL')], endpoint: bare }, 'istio-mtls'],
    ['a mode of the future', { rules: [mode('QUANTUM')] }, 'unknown'],
    ['a rule without tls', { rules: [rule({ connectionPool: {} })] }, 'istio-mtls'],
    ['headless, all with sidecar', { service: { ...service, headless: true } }, 'istio-mtls'],
    [
      'headless ignores the port mode',
      { service: { ...service, headless: true }, endpoint: { ...istio, effectiveMode: 'DISABLE' } },
      'istio-mtls',
    ],
    ['headless, one without', { service: { ...service, headless: true }, endpoints: [istio, bare] }, 'plaintext'],
    ['headless without endpoints', { service: { ...service, headless: true }, endpoints: [] }, 'plaintext'],
    [
      'balancer PASSTHROUGH like headless',
      { rules: [rule({ loadBalancer: { simple: 'PASSTHROUGH' } })], endpoints: [istio, bare] },
      'plaintext',
    ],
    [
      'HBONE to a captured pod',
      { client: { ...base.client, sendsHbone: true }, endpoint: { ...bare, hbone: true } },
      'hbone',
    ],
    [
      'mesh mTLS is preferred to HBONE',
      { client: { ...base.client, sendsHbone: true }, endpoint: { ...istio, hbone: true } },
      'istio-mtls',
    ],
    [
      'ztunnel to a captured pod',
      { client: { ...base.client, proxy: 'ztunnel' }, endpoint: { ...bare, hbone: true } },
      'hbone',
    ],
    ['ztunnel to a plain pod', { client: { ...base.client, proxy: 'ztunnel' }, endpoint: bare }, 'plaintext'],
    // The port's own settings hide the top level from the cluster, the endpoints still follow it.
    [
      'top DISABLE behind a port’s settings',
      {
        rules: [rule({ tls: { mode: 'DISABLE' }, portLevelSettings: [{ port: { number: 80 }, connectionPool: {} }] })],
      },
      'plaintext',
    ],
    [
      'top ISTIO_MUTUAL behind a port’s settings',
      {
        rules: [rule({ tls: { mode: 'ISTIO_MUTUAL' }, portLevelSettings: [{ port: { number: 80 } }] })],
        endpoint: bare,
      },
      'istio-mtls',
    ],
  ])('%s: %#', (_, change, sends) => {
    expect(clientTls({ ...base, ...change }).sends).toBe(sends)
  })
  test('the object and the field are named', () => {
    const tls = clientTls({
      ...base,
      rules: [mode('SIMPLE', { sni: 'x.test', subjectAltNames: ['x.test'], insecureSkipVerify: true })],
    })
    expect(tls).toMatchObject({
      decidedBy: { object: { metadata: { name: 'web' } }, field: 'trafficPolicy.tls' },
      sni: 'x.test',
      subjectAltNames: ['x.test'],
      skipsVerification: true,
      why: 'DestinationRule srv/web sets trafficPolicy.tls.mode SIMPLE',
    })
  })
  test('the SNI names port and subset', () => {
    const rules = [rule({}, { subsets: [{ name: 'v1', labels: {} }] })]
    expect(clientTls({ ...base, rules, subset: 'v1' }).sni).toBe('outbound_.80_.v1_.web.srv.svc.cluster.local')
  })
})
