import type { Target } from '../../src/model/call.ts'
import type { Backend, ClusterFacts, Listing, WorkloadItem } from '../../src/ui/ports.ts'
import { inconclusiveSample, plaintextSample, play, type Sample, suspectsSample } from './sample-run.ts'

export interface SampleOptions {
  readonly facts?: ClusterFacts
  readonly sample?: Sample
  readonly delay?: (ms: number) => Promise<void>
  readonly callers?: () => Promise<Listing>
  readonly copied?: string[]
  readonly saves?: unknown[]
}

const item = (name: string, kind: string, more: Partial<WorkloadItem> = {}): WorkloadItem => ({
  target: { kind, name, namespace: 'shop', port: null, text: `${kind}/${name}.shop` },
  name,
  namespace: 'shop',
  kind,
  pods: 1,
  ready: 1,
  proxy: 'sidecar',
  restarts: null,
  ports: [],
  suspicious: null,
  ...more,
})

export const callers: WorkloadItem[] = [
  item('web', 'deploy', { pods: 3, ready: 3 }),
  ...Array.from({ length: 36 }, (_, index) => item(`worker-${index + 1}`, 'deploy')),
  item('cart', 'deploy', { restarts: 'restarted 4 min ago', suspicious: 'restarted 4 min ago' }),
  item('batch', 'cronjob', { pods: null, ready: null, proxy: 'none', suspicious: 'no proxy' }),
  item('istio-ingressgateway', 'gateway', { proxy: 'gateway' }),
  item('支払い-サービス', 'deploy', { pods: 2, ready: 1, suspicious: '1 of 2 pods ready' }),
]

export function sampleBackend(options: SampleOptions = {}): Backend {
  const delay = options.delay ?? (async () => undefined)
  const sample = options.sample ?? plaintextSample
  const backend: Backend = {
    cluster: async () => {
      await delay(300)
      return options.facts ?? { context: 'prod-eu', istio: '1.29.2', reachable: true }
    },
    symptoms: [
      { id: '503', title: '503 Service Unavailable', says: ['no healthy upstream', 'upstream connect error'] },
      { id: '403', title: '403 Forbidden', says: ['RBAC: access denied', 'plain 403'] },
      { id: '401', title: '401 Unauthorized', says: ['Jwt is missing', 'expired', 'issuer'] },
      { id: 'reset', title: 'connection reset', says: ['reset by peer', 'empty reply', 'EOF'] },
      { id: '404', title: '404 or the wrong backend', says: ['not found', 'old version answers'] },
      { id: '504', title: '504, timeout, slow', says: ['upstream request timeout'] },
      { id: 'tls', title: 'TLS handshake at the ingress', says: ['certificate', 'SNI'] },
      { id: 'not-applied', title: 'my change has no effect', says: ['old behaviour', 'STALE'] },
      { id: 'not-injected', title: 'the pod is not in the mesh', says: ['no sidecar', '1/1'], asks: ['to'] },
      { id: 'unknown', title: 'something else', says: [] },
    ],
    listCallers: async () => {
      await delay(1500)
      return options.callers ? options.callers() : { items: callers, blind: null }
    },
    listDestinations: async () => {
      await delay(1500)
      return {
        items: [
          item('ledger', 'svc', {
            namespace: 'pay',
            pods: 2,
            ready: 2,
            ports: [
              { port: 8080, name: 'http' },
              { port: 9090, name: 'grpc-admin' },
            ],
            target: { kind: 'svc', name: 'ledger', namespace: 'pay', port: null, text: 'svc/ledger.pay' },
          }),
          item('reviews', 'svc', {
            ports: [{ port: 9080, name: 'http' }],
            pods: 3,
            ready: 1,
            suspicious: '1 of 3 pods ready',
          }),
          item('api.example.com', 'host', { namespace: null, pods: null, ready: null, proxy: 'unknown' }),
        ],
        blind: null,
      }
    },
    listHosts: async () => ({
      items: [
        item('shop.example.com', 'Gateway edge/public', {
          namespace: null,
          pods: null,
          ready: null,
          proxy: 'unknown',
          ports: [{ port: 443, name: 'https' }],
          target: { kind: null, name: 'shop.example.com', namespace: null, port: null, text: 'shop.example.com' },
        }),
      ],
      blind: null,
    }),
    target: (text) => {
      const match = /^(?:([a-z]+)\/)?([a-z0-9-]+)(?:\.([a-z0-9-]+))?(?::(\d+))?$/.exec(text)
      if (!match) throw new Error(`no target: ${text}`)
      const [, kind = null, name = '', namespace = null, port] = match
      return { kind, name, namespace, port: port ? Number(port) : null, text } satisfies Target
    },
    demos: [
      { id: 'plaintext', title: 'STRICT meets a DestinationRule that turns TLS off', symptom: '503' },
      { id: 'suspects', title: 'connections cut while idle', symptom: '503' },
      { id: 'blind', title: '403, and no permission to look', symptom: '403' },
    ],
    sessions: async () => [
      {
        path: '/home/dev/.local/state/meshtriage/2026-03-01-503',
        title: '503 web.shop → ledger.pay',
        when: 'yesterday',
      },
    ],
    explain: async (text) =>
      text.trim().length < 2 || /^zz/.test(text)
        ? null
        : {
            title: text,
            sentences: [
              `What ${text} means, in words for a tired person, and who says it.`,
              'It is printed by Envoy when the request never left the proxy that writes the line, so the application has no record of it.',
            ],
            layer: 'client-sidecar-cluster',
            lookNext: [
              {
                command:
                  'istioctl proxy-config endpoint web-1.shop --cluster "outbound|8080||ledger.pay.svc.cluster.local"',
                why: 'are there endpoints, and are they healthy?',
              },
            ],
            myth: 'that the application answered it',
          },
    parsePaste: async (text) =>
      /" 503 (\w+)/.test(text)
        ? {
            kind: 'access log',
            sentence:
              "This line was written by web-1's own proxy (client side). It reached 10.2.0.11:8080 and the connection was cut before a response.",
            details: [
              '503 UC: the upstream closed the connection',
              'usual causes, in order: plaintext to STRICT, keep-alive race, pod shutdown',
            ],
            given: {
              symptom: '503',
              to: { kind: 'svc', name: 'ledger', namespace: 'pay', port: 8080, text: 'svc/ledger.pay:8080' },
              method: 'GET',
              path: '/api',
              logText: text,
            },
          }
        : null,
    start: (_given, ports, signal) => play(sample, ports, signal, delay),
    playDemo: (id, ports, signal) =>
      play(
        id === 'suspects' ? suspectsSample : id === 'blind' ? inconclusiveSample : plaintextSample,
        ports,
        signal,
        delay,
      ),
    openRecording: async function* (path, ports, signal) {
      if (!path.includes('2026'))
        throw Object.assign(new Error(`${path} is no session folder`), { hint: 'it needs a session.json' })
      yield* play(sample, ports, signal, delay)
    },
    openArchive: async () => backend,
    save: async (state) => {
      options.saves?.push(state)
      return {
        folder: '/home/dev/.local/state/meshtriage/2026-03-01-503',
        notePath: '/home/dev/.local/state/meshtriage/2026-03-01-503/note.md',
      }
    },
    renderNote: (state) =>
      `# Incident note\n\n${state.diagnosis?.summary ?? 'not diagnosed'}\n\n${state.notes.map(({ text }) => `- ${text}`).join('\n')}\n`,
    rawOutput: async (id) =>
      Array.from(
        { length: 200 },
        (_, index) =>
          `${id} line ${index + 1} "transportSocket": null outbound|8080||ledger.pay.svc.cluster.local \u001b[31mred\u001b[0m`,
      ).join('\n'),
    copy: (text) => {
      options.copied?.push(text)
      return true
    },
  }
  return backend
}
