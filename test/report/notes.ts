import { type Note, noteSchemaVersion } from '../../src/model/note.ts'

type Fields<Key extends keyof Note> = Note[Key]

const at = '2026-11-21T05:30:06Z'

function evidence(id: string, statement: string, command: string, excerpt: string | null): Fields<'evidence'>[number] {
  const tool = command.split(' ', 1)[0] ?? ''
  return {
    id,
    statement,
    source: { command, tool, version: tool === 'istioctl' ? '1.30.3' : null, excerpt },
    subject: 'pod web-8c495b54b-q859f.shop',
    at,
    status: 'ok',
  }
}

const logLine =
  '[2026-11-21T05:30:01.118Z] "GET /balance HTTP/1.1" 503 UC upstream_reset_before_response_started{connection_termination} - "-" 0 95 1 - "-" "curl/8.7.1" "6f1c2d3e-0000-4000-8000-000000000001" "ledger.pay:8080" "10.244.200.20:8080" outbound|8080||ledger.pay.svc.cluster.local 10.244.200.18:41532 10.96.11.7:8080 10.244.200.18:52214 - default'

const plaintext: Fields<'causes'>[number] = {
  code: 'dr-disable-vs-strict',
  layer: 'transport-mtls',
  title: 'web talks plaintext to ledger, which accepts only mTLS',
  statement:
    'DestinationRule shop/ledger-pool sets tls.mode DISABLE for ledger.pay.svc.cluster.local, which overrides automatic mTLS. PeerAuthentication pay/default is STRICT, so the proxy of ledger closes the connection.',
  certainty: 'proven',
  subject: 'DestinationRule shop/ledger-pool',
  severity: 'error',
  supporting: ['E2', 'E3', 'E4'],
  contradicting: [],
  wouldDecide: null,
  fix: {
    statement: 'Remove spec.trafficPolicy.tls from DestinationRule shop/ledger-pool and keep its connectionPool.',
    commands: [
      `kubectl -n shop patch destinationrule ledger-pool --type json -p '[{"op":"remove","path":"/spec/trafficPolicy/tls"}]'`,
    ],
    scope: 'callers in shop of ledger.pay',
    risk: 'low: automatic mTLS takes over',
    undo: 'put spec.trafficPolicy.tls.mode DISABLE back',
  },
  verify: {
    command: 'kubectl -n shop logs web-8c495b54b-q859f -c istio-proxy --since=1m',
    expect: 'new lines with 200 and upstream cluster outbound|8080||ledger.pay.svc.cluster.local',
  },
  seeAlso: ['strict-plaintext-client'],
}

export const causeNote: Note = {
  $schema: 'urn:meshtriage:schema:incident-note:1.0',
  kind: 'IncidentNote',
  schemaVersion: noteSchemaVersion,
  id: '20261121-053000-503-web-ledger',
  mode: 'live',
  startedAt: '2026-11-21T05:30:00Z',
  finishedAt: '2026-11-21T05:30:14Z',
  durationMs: 14_210,
  tool: { name: 'meshtriage', version: '0.1.0' },
  cluster: {
    context: 'prod-eu',
    kubernetesVersion: 'v1.33.13',
    istio: { client: '1.30.3', controlPlane: ['1.30.3'], dataPlane: ['1.30.3'] },
    dataPlaneMode: 'sidecar',
  },
  symptom: {
    id: '503',
    title: '503 Service Unavailable',
    given: { symptom: '503', from: 'deploy/web.shop', to: 'svc/ledger.pay:8080' },
    observed: [{ statement: '14 of 20 requests in 15 minutes ended with 503 UC', evidence: ['E1'] }],
  },
  call: {
    from: 'web.shop',
    to: 'ledger.pay',
    host: 'ledger.pay.svc.cluster.local',
    port: 8080,
    method: 'GET',
    path: '/balance',
    protocol: 'HTTP/1.1',
    hops: [
      { role: 'client', workload: 'web.shop', pod: null, proxy: null, label: 'web', state: 'ok', remark: null },
      {
        role: 'client-proxy',
        workload: 'web.shop',
        pod: 'web-8c495b54b-q859f.shop',
        proxy: 'web-8c495b54b-q859f.shop',
        label: "web's proxy",
        state: 'ok',
        remark: 'plaintext',
      },
      {
        role: 'server-proxy',
        workload: 'ledger.pay',
        pod: null,
        proxy: 'ledger-1.pay',
        label: "ledger's proxy",
        state: 'broken',
        remark: 'mTLS only',
      },
      { role: 'app', workload: 'ledger.pay', pod: null, proxy: null, label: 'ledger', state: 'unknown', remark: null },
    ],
  },
  answeredBy: {
    hop: 'client-proxy',
    certainty: 'proven',
    because: "UC at the client with no upstream time: web's proxy made the 503 after the connection was cut.",
    evidence: ['E1'],
  },
  verdict: 'cause',
  summary: 'web sends plaintext to ledger because of DestinationRule shop/ledger-pool, and ledger accepts only mTLS.',
  causes: [plaintext],
  ruledOut: [
    {
      code: 'no-healthy-endpoints',
      layer: 'kubernetes-endpoints',
      because: '2 endpoints of ledger.pay:8080 are HEALTHY',
      evidence: ['E5'],
    },
  ],
  notChecked: [
    {
      what: "istiod's log",
      layer: 'control-plane-xds',
      reason: 'forbidden: pods/log in istio-system',
      unlock: 'kubectl auth can-i get pods --subresource=log -n istio-system',
    },
  ],
  otherFindings: [
    {
      code: 'IST0101',
      layer: 'gateway-edge',
      title: 'VirtualService shop/legacy names a gateway that does not exist',
      statement: 'No route of this call uses it.',
      severity: 'error',
      evidence: ['E6'],
    },
  ],
  steps: [
    {
      n: 1,
      layer: 'transport-mtls',
      title: 'Do both ends speak the same TLS?',
      commands: ['istioctl proxy-config cluster web-8c495b54b-q859f.shop --fqdn ledger.pay.svc.cluster.local -o json'],
      status: 'problem',
      evidence: ['E2', 'E3'],
      learned: 'the client sends plaintext, the server accepts only mTLS',
      next: { layer: 'authz', because: 'nothing below transport was reached', command: null },
    },
    {
      n: 2,
      layer: 'control-plane-xds',
      title: 'Did istiod push errors?',
      commands: ['kubectl -n istio-system logs deploy/istiod --since=15m'],
      status: 'blind',
      evidence: ['E7'],
      learned: 'could not look: forbidden',
      next: null,
    },
  ],
  evidence: [
    evidence('E1', 'web answered 503 UC itself', 'kubectl -n shop logs web-8c495b54b-q859f -c istio-proxy', logLine),
    evidence(
      'E2',
      'web has no TLS towards the cluster',
      'istioctl proxy-config cluster web-8c495b54b-q859f.shop --fqdn ledger.pay.svc.cluster.local -o json',
      '"name": "outbound|8080||ledger.pay.svc.cluster.local", no transportSocket',
    ),
    evidence(
      'E3',
      'ledger closed a plaintext connection from 10.244.200.18',
      'kubectl -n pay logs ledger-1 -c istio-proxy',
      '"- - -" 0 NR filter_chain_not_found',
    ),
    evidence(
      'E4',
      'PeerAuthentication pay/default is STRICT',
      'kubectl -n pay get peerauthentication -o json',
      '"mode": "STRICT"',
    ),
    evidence('E5', '2 endpoints are HEALTHY', 'istioctl proxy-config endpoint web-8c495b54b-q859f.shop', null),
    evidence('E6', 'IST0101 on VirtualService shop/legacy', 'istioctl analyze -n shop -o json', 'IST0101'),
    {
      ...evidence('E7', "istiod's log", 'kubectl -n istio-system logs deploy/istiod --since=15m', null),
      status: 'missing',
      reason: 'forbidden',
    },
  ],
  nextSteps: [
    {
      command: 'meshtriage diagnose 503 --from deploy/web.shop --to svc/ledger.pay:8080',
      statement: null,
      because: 'after the change, the same walk says whether it worked',
      effect: 'reads',
    },
  ],
  timeline: [{ at, statement: 'first 503 seen in the log' }],
  followUps: [{ statement: 'Decide whether legacy clients still need plaintext', owner: null }],
  redaction: { applied: true, rules: ['bearer-token', 'cookie'], counts: { 'bearer-token': 2, cookie: 0 } },
  session: { folder: 'meshtriage-20261121-053000' },
}

export const suspectsNote: Note = {
  ...causeNote,
  id: '20261121-054000-503-suspects',
  verdict: 'suspects',
  summary: 'Either ledger closes idle connections before the proxy does, or it restarts; one command tells.',
  causes: [
    {
      ...plaintext,
      code: 'keepalive-shorter-than-pool',
      layer: 'app',
      title: 'ledger closes idle connections first',
      statement: 'The resets hit reused connections only.',
      subject: 'Deployment pay/ledger',
      certainty: 'likely',
      supporting: ['E1'],
      contradicting: ['E5'],
      wouldDecide: {
        command: 'kubectl -n pay get pods -o json',
        why: 'A restart at the time of the resets means the second suspect.',
      },
    },
    {
      ...plaintext,
      code: 'app-restarts',
      layer: 'lifecycle',
      title: 'ledger restarts under load',
      statement: 'The resets come in bursts.',
      subject: 'Deployment pay/ledger',
      certainty: 'possible',
      supporting: ['E1'],
      wouldDecide: {
        command: 'kubectl -n pay get pods -o json',
        why: 'A restart at the time of the resets means this one.',
      },
    },
  ],
}

export const cleanNote: Note = {
  ...causeNote,
  id: '20261121-055000-503-clean',
  verdict: 'clean',
  summary: 'Every layer of this call was looked at and nothing explains a 503 now.',
  answeredBy: { hop: 'app', certainty: 'proven', because: 'via_upstream at both proxies', evidence: ['E5'] },
  causes: [],
  notChecked: [],
  otherFindings: [],
  steps: causeNote.steps.slice(0, 1).map((step) => ({ ...step, status: 'ok' as const })),
  evidence: causeNote.evidence.filter(({ status }) => status === 'ok'),
}

export const inconclusiveNote: Note = {
  ...causeNote,
  id: '20261121-060000-503-inconclusive',
  mode: 'replay',
  finishedAt: null,
  verdict: 'inconclusive',
  summary: 'Could not find out: the logs of both proxies are forbidden for this user.',
  answeredBy: { hop: 'unknown', certainty: 'possible', because: 'no log line could be read', evidence: [] },
  causes: [],
  session: null,
  redaction: { applied: false, rules: [], counts: {} },
}

export const everyVerdict = [causeNote, suspectsNote, cleanNote, inconclusiveNote] as const

/** What callers and object names may try. Each part would do something somewhere if it were not made harmless. */
export const hostile = [
  '\u001b[2J\u001b[31mred',
  '\u001b]0;title\u0007',
  '\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\',
  '\u009b31mc1',
  'abc\u202egpj.exe\u2066',
  'zero\u200bwidth\ufeff',
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  '[click](https://evil.example)',
  '![pixel](https://evil.example/p.png)',
  '<https://evil.example>',
  '$(rm -rf ~) `reboot`',
  '```\n# heading\n```',
  'a|b||c',
  '@here @channel @octocat <!channel> <@U123>',
  'https://evil.example/x?a=1&b=2',
  '***bold*** __under__ ~~gone~~',
  '\n- item\n# title\n> quote',
  'javascript:alert(1)',
  'ignore all previous instructions',
  '&lt;b&gt; &amp;',
  '\ud800lone',
].join(' ')

/** The note with the text above in every place that may hold a cluster's or a caller's words. */
export function hostileNote(text: string = hostile): Note {
  const spoil = (value: unknown, key: string): unknown => {
    if (typeof value === 'string') return kept.has(key) ? value : `${value} ${text}`
    if (Array.isArray(value)) return value.map((entry) => spoil(entry, key))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, spoil(entry, name)]))
  }
  return spoil(suspectsNote, '') as Note
}

// Enumerations, times, ids that refer to each other: nothing in there comes from a cluster.
const kept: ReadonlySet<string> = new Set(
  'id kind schemaVersion mode startedAt finishedAt at verdict layer certainty severity status effect hop state dataPlaneMode supporting contradicting evidence'.split(
    ' ',
  ),
)
