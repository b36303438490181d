import { describe, expect, test } from 'vitest'
import { ambientEnrolment, wouldBeInjected } from '../../src/mesh/enrolment.ts'
import { readMeshConfig } from '../../src/mesh/mesh-config.ts'
import { classifyPod, identityOf } from '../../src/mesh/workload.ts'
import type { KubeObject } from '../../src/model/kube.ts'

function pod(metadata: object, spec: object = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'x-1', namespace: 'shop', ...metadata },
    spec,
    status: { podIP: '10.0.0.1' },
  }
}
const proxy = (role: string) => ({ name: 'istio-proxy', args: ['proxy', role] })
const app = { name: 'app' }

describe('what a pod is', () => {
  test.each<[string, KubeObject, string]>([
    ['a classic sidecar', pod({}, { containers: [app, proxy('sidecar')] }), 'sidecar'],
    [
      'a native sidecar is an init container',
      pod({}, { containers: [app], initContainers: [{ ...proxy('sidecar'), restartPolicy: 'Always' }] }),
      'native-sidecar',
    ],
    [
      'an init container that ends is no sidecar',
      pod({}, { containers: [app], initContainers: [{ name: 'istio-init' }] }),
      'none',
    ],
    ['an old gateway', pod({}, { containers: [proxy('router')] }), 'gateway'],
    [
      'a Helm gateway has the sidecar’s annotation too',
      pod(
        { annotations: { 'inject.istio.io/templates': 'gateway', 'sidecar.istio.io/status': '{}' } },
        { containers: [proxy('router')] },
      ),
      'gateway',
    ],
    [
      'a Gateway API gateway',
      pod(
        {
          labels: {
            'gateway.networking.k8s.io/gateway-name': 'gw',
            'gateway.istio.io/managed': 'istio.io-gateway-controller',
          },
        },
        { containers: [proxy('router')] },
      ),
      'gateway-api',
    ],
    [
      'a waypoint',
      pod(
        {
          labels: {
            'gateway.networking.k8s.io/gateway-name': 'wp',
            'gateway.istio.io/managed': 'istio.io-mesh-controller',
          },
        },
        { containers: [proxy('waypoint')] },
      ),
      'waypoint',
    ],
    [
      'a ztunnel',
      pod({ namespace: 'istio-system', labels: { app: 'ztunnel' } }, { containers: [proxy('ztunnel')] }),
      'ztunnel',
    ],
    [
      'an ambient pod',
      pod({ annotations: { 'ambient.istio.io/redirection': 'enabled' } }, { containers: [app] }),
      'ambient',
    ],
    [
      'a sidecar outweighs the ambient annotation',
      pod({ annotations: { 'ambient.istio.io/redirection': 'enabled' } }, { containers: [app, proxy('sidecar')] }),
      'sidecar',
    ],
    ['a plain pod', pod({}, { containers: [app] }), 'none'],
    [
      'an application that is called ztunnel but has a sidecar',
      pod({ labels: { app: 'ztunnel' } }, { containers: [app, proxy('sidecar')] }),
      'sidecar',
    ],
  ])('%s', (_, object, kind) => {
    expect(classifyPod(object).workload.proxy).toBe(kind)
  })

  test('identity, gateway name and remarks', () => {
    const found = classifyPod(
      pod(
        { labels: { 'gateway.networking.k8s.io/gateway-name': 'gw', 'gateway.istio.io/managed': 'x' } },
        { serviceAccountName: 'gw-sa', containers: [proxy('router')] },
      ),
    )
    expect(found.workload).toMatchObject({ gatewayName: 'gw', serviceAccount: 'gw-sa', ip: '10.0.0.1' })
    expect(identityOf(found.workload, 'cluster.local')).toBe('spiffe://cluster.local/ns/shop/sa/gw-sa')
    expect(classifyPod(pod({}, { hostNetwork: true })).remarks[0]).toContain('hostNetwork')
    expect(classifyPod(pod({ annotations: { 'ambient.istio.io/redirection': 'pending' } })).remarks[0]).toContain(
      'pending',
    )
  })
})

describe('would it get a sidecar', () => {
  type Labels = Record<string, string>
  const ask = (namespaceLabels: Labels, podLabels: Labels = {}, more: object = {}) =>
    wouldBeInjected({
      namespace: 'shop',
      namespaceLabels,
      podLabels,
      podAnnotations: {},
      hostNetwork: false,
      revisions: ['default', 'canary'],
      ...more,
    })
  const inject = (value: string) => ({ 'sidecar.istio.io/inject': value })
  test.each<[string, Labels, Labels, boolean, string | null]>([
    ['istio-injection=enabled', { 'istio-injection': 'enabled' }, {}, true, 'default'],
    ['enabled, pod says false', { 'istio-injection': 'enabled' }, inject('false'), false, null],
    ['enabled outweighs a revision', { 'istio-injection': 'enabled', 'istio.io/rev': 'canary' }, {}, true, 'default'],
    ['disabled outweighs the pod’s true', { 'istio-injection': 'disabled' }, inject('true'), false, null],
    ['istio-injection=true selects nothing', { 'istio-injection': 'true' }, {}, false, null],
    ['a revision', { 'istio.io/rev': 'canary' }, {}, true, 'canary'],
    [
      'the namespace’s revision counts, not the pod’s',
      { 'istio.io/rev': 'canary' },
      { 'istio.io/rev': 'default' },
      true,
      'canary',
    ],
    ['a revision that nobody serves', { 'istio.io/rev': 'gone' }, {}, false, null],
    ['a revision, pod says false', { 'istio.io/rev': 'canary' }, inject('false'), false, null],
    ['no labels', {}, {}, false, null],
    ['no labels, pod says true', {}, inject('true'), true, 'default'],
    ['no labels, pod names a revision', {}, { 'istio.io/rev': 'canary' }, true, 'canary'],
    [
      'no labels, pod says true and names a revision',
      {},
      { ...inject('true'), 'istio.io/rev': 'canary' },
      true,
      'canary',
    ],
  ])('%s', (_, namespaceLabels, podLabels, injected, revision) => {
    expect(ask(namespaceLabels, podLabels)).toMatchObject({ injected, revision })
  })
  test('the injector’s own refusals', () => {
    const enabled = { 'istio-injection': 'enabled' }
    expect(ask(enabled, {}, { hostNetwork: true }).injected).toBe(false)
    expect(ask(enabled, {}, { namespace: 'kube-system' }).injected).toBe(false)
    expect(ask(enabled, {}, { podAnnotations: inject('false') }).injected).toBe(false)
    expect(ask(enabled, inject('true'), { podAnnotations: inject('false') }).injected).toBe(true)
    expect(ask({}, {}, { podAnnotations: inject('true') }).injected).toBe(false)
    expect(ask({}, {}, { byDefault: true }).injected).toBe(true)
  })
  test('webhooks that nobody looked at keep it open', () => {
    expect(ask({ 'istio-injection': 'enabled' }, {}, { revisions: null }).injected).toBe('unknown')
  })
})

describe('is it enrolled in ambient', () => {
  const mode = (value: string) => ({ 'istio.io/dataplane-mode': value })
  test.each<[string, Record<string, string>, Record<string, string>, object, boolean, boolean | 'pending']>([
    ['by namespace', mode('ambient'), {}, {}, true, false],
    ['by pod', {}, mode('ambient'), {}, true, false],
    ['the pod opts out', mode('ambient'), mode('none'), {}, false, false],
    ['not asked for', {}, {}, {}, false, false],
    ['hostNetwork', mode('ambient'), {}, { hostNetwork: true }, false, false],
    ['with a sidecar', mode('ambient'), {}, { podAnnotations: { 'sidecar.istio.io/status': '{}' } }, false, false],
    ['done', mode('ambient'), {}, { podAnnotations: { 'ambient.istio.io/redirection': 'enabled' } }, true, true],
    [
      'pending',
      mode('ambient'),
      {},
      { podAnnotations: { 'ambient.istio.io/redirection': 'pending' } },
      true,
      'pending',
    ],
  ])('%s', (_, namespaceLabels, podLabels, more, shouldBe, is) => {
    expect(
      ambientEnrolment({ namespaceLabels, podLabels, podAnnotations: {}, hostNetwork: false, ...more }),
    ).toMatchObject({ shouldBe, is })
  })
})

describe('mesh configuration', () => {
  test('what istiod assumes where nothing is said', () => {
    expect(readMeshConfig(undefined, 'mesh-system')).toMatchObject({
      rootNamespace: 'mesh-system',
      trustDomain: 'cluster.local',
      enableAutoMtls: true,
      pathNormalization: 'BASE',
      outboundTrafficPolicy: 'ALLOW_ANY',
      extensionProviders: [],
    })
  })
  test('what is said', () => {
    const config = readMeshConfig({
      rootNamespace: 'root',
      trustDomain: 'td',
      trustDomainAliases: ['old'],
      enableAutoMtls: false,
      outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' },
      pathNormalization: { normalization: 'MERGE_SLASHES' },
      accessLogFile: '/dev/stdout',
      defaultConfig: { gatewayTopology: { numTrustedProxies: 2 } },
      defaultProviders: { accessLogging: ['envoy'] },
      extensionProviders: [
        { name: 'opa', envoyExtAuthzGrpc: { service: 'opa.ns', port: 9191, failOpen: true } },
        { name: 'empty' },
      ],
    })
    expect(config).toMatchObject({
      rootNamespace: 'root',
      trustDomainAliases: ['old'],
      enableAutoMtls: false,
      outboundTrafficPolicy: 'REGISTRY_ONLY',
      pathNormalization: 'MERGE_SLASHES',
      numTrustedProxies: 2,
    })
    expect(config.extensionProviders).toEqual([
      { name: 'opa', kind: 'envoyExtAuthzGrpc', service: 'opa.ns', port: 9191, failOpen: true, statusOnError: null },
      { name: 'empty', kind: null, service: null, port: null, failOpen: false, statusOnError: null },
    ])
  })
})
