import { emptyGiven, type Hop } from '../../src/model/call.ts'
import type { WalkPorts } from '../../src/model/control.ts'
import type { Cause, Diagnosis } from '../../src/model/diagnosis.ts'
import type { EvidenceEntry } from '../../src/model/evidence.ts'
import type { Layer } from '../../src/model/layer.ts'
import { initialRunState, type RunEvent, type RunState, reduceRun } from '../../src/model/run.ts'

/** Walks as an engine would send them, for looking at and for tests. Names and texts are made up. */
export interface SampleStep {
  readonly id: string
  readonly label: string
  readonly layer: Layer
  readonly title: string
  readonly proves: string
  readonly status: 'ok' | 'problem' | 'blind' | 'skipped'
  readonly learned: readonly string[]
  readonly because: string
  readonly commands: readonly SampleCommand[]
  readonly ask?: { id: string; text: string; why: string; choices: { id: string; label: string }[] }
  readonly hops?: readonly Hop[]
  readonly settles?: readonly Extract<RunEvent, { type: 'rule-settled' }>[]
  readonly banner?: string | null
}

export interface SampleCommand {
  readonly display: string
  readonly key: EvidenceEntry['key']
  readonly subject: string
  readonly learned: string
  readonly ms?: number
  readonly missing?: { reason: string; detail: string; unlock: string | null }
}

export interface Sample {
  readonly symptom: '503' | '403' | 'reset'
  readonly steps: readonly SampleStep[]
  readonly diagnosis: Diagnosis
  readonly retest: { result: 'fixed' | 'changed' | 'same'; statement: string }
}

const at = (second: number) => new Date(Date.UTC(2026, 2, 1, 10, 0, second)).toISOString()

export const hop = (role: Hop['role'], label: string, state: Hop['state'], remark: string | null = null): Hop => ({
  role,
  label,
  workload: label,
  pod: null,
  proxy: null,
  state,
  remark,
})

/** The walk, steered by the ports as the engine would be. `delay` waits between events. */
export async function* play(
  sample: Sample,
  ports: WalkPorts,
  signal: AbortSignal,
  delay: (ms: number) => Promise<void> = async () => undefined,
): AsyncIterable<RunEvent> {
  const { steps } = sample
  let clock = 0
  let commandNumber = 0
  const notes: string[] = []
  const giveUp: (() => void)[] = []
  const stopNotes = ports.onNote((text) => notes.push(text))
  const stopCancels = ports.onCancelCommands(() => {
    for (const listener of giveUp) listener()
  })
  const given = {
    ...emptyGiven(sample.symptom),
    from: { kind: 'deploy', name: 'web', namespace: 'shop', port: null, text: 'deploy/web.shop' },
    to: { kind: 'svc', name: 'ledger', namespace: 'pay', port: 8080, text: 'svc/ledger.pay:8080' },
    method: 'GET',
    path: '/balance',
  }
  yield {
    type: 'run-started',
    at: at(clock),
    runbook: { id: 'http-503', title: '503 from a service in the mesh' },
    given,
    mode: 'live',
    budgetMs: null,
    plan: steps.map(({ id, title, layer, label }) => ({ id, title, layer, label })),
  }
  let index = 0
  let isDiagnosed = false
  while (!signal.aborted) {
    const step = steps[index]
    if (!step) break
    const { id, title, layer, label, proves } = step
    yield { type: 'step-started', at: at(clock), n: index + 1, id, title, layer, label, proves }
    if (step.banner !== undefined) yield { type: 'banner', text: step.banner }
    for (const { display, key, subject, learned, ms = 400, missing } of step.commands) {
      const entryId = `C${++commandNumber}`
      yield { type: 'command-started', at: at(clock), id: entryId, step: id, display, key, subject }
      let canceled = false
      await Promise.race([
        delay(ms),
        new Promise<void>((resolve) =>
          giveUp.push(() => {
            canceled = true
            resolve()
          }),
        ),
      ])
      clock += Math.ceil(ms / 1000)
      const lost = canceled ? { reason: 'canceled', detail: 'given up after some seconds', unlock: null } : missing
      yield {
        type: 'command-finished',
        step: id,
        learned: lost ? '' : learned,
        entry: {
          id: entryId,
          key,
          role: 'client',
          probe: key.split('.')[1] ?? key,
          subject,
          namespace: 'shop',
          name: 'web-1',
          command: {
            file: display.startsWith('kubectl') ? 'kubectl' : 'istioctl',
            args: display.split(' ').slice(1),
            timeoutMs: 15_000,
          },
          status: lost ? 'missing' : 'ok',
          data: null,
          reason: lost?.reason ?? null,
          detail: lost?.detail ?? null,
          unlock: lost?.unlock ?? null,
          at: at(clock),
          durationMs: ms,
        },
      }
    }
    if (step.ask) {
      yield { type: 'question-asked', question: step.ask }
      const answer = await ports.ask(step.ask, signal)
      yield { type: 'question-answered', id: step.ask.id, answer }
    }
    if (index === 0)
      yield {
        type: 'ground-learned',
        ground: {
          context: 'prod-eu',
          kubernetesVersion: '1.33',
          istioClient: '1.29.2',
          controlPlane: ['1.29.2'],
          dataPlane: ['1.29.2'],
          dataPlaneMode: 'sidecar',
        },
      }
    if (step.hops)
      yield {
        type: 'call-resolved',
        call: {
          from: 'web.shop',
          to: 'ledger.pay:8080',
          host: 'ledger.pay.svc.cluster.local',
          port: 8080,
          method: 'GET',
          path: '/balance',
          protocol: 'http',
          hops: step.hops,
          assumptions: [],
        },
      }
    for (const event of step.settles ?? []) yield event
    while (notes.length > 0) yield { type: 'note-added', at: at(clock), text: notes.shift() ?? '' }
    const following = steps[index + 1]
    const next = following
      ? {
          step: following.id,
          title: following.title,
          layer: following.layer,
          because: step.because,
          command: following.commands[0]?.display ?? null,
        }
      : { step: 'diagnosis', title: 'diagnosis', layer, because: step.because, command: null }
    yield { type: 'step-finished', at: at(clock), id, status: step.status, learned: step.learned, next }
    if (!following) {
      isDiagnosed = true
      break
    }
    const what = await ports.pause({ step: id, next, diagnosed: false }, signal)
    while (notes.length > 0) yield { type: 'note-added', at: at(clock), text: notes.shift() ?? '' }
    if (what.do === 'quit') break
    if (what.do === 'finish') {
      isDiagnosed = true
      break
    }
    if (what.do === 'back') index = Math.max(0, index - 1)
    else if (what.do === 'goto')
      index = Math.max(
        0,
        steps.findIndex((each) => each.id === what.step),
      )
    else if (what.do === 'skip') {
      yield {
        type: 'step-started',
        at: at(clock),
        n: index + 2,
        id: following.id,
        title: following.title,
        layer: following.layer,
        label: following.label,
        proves: following.proves,
      }
      yield { type: 'step-finished', at: at(clock), id: following.id, status: 'skipped', learned: [], next: null }
      index += 2
    } else if (what.do !== 'retest') index += 1
  }
  if (isDiagnosed) {
    yield { type: 'diagnosed', diagnosis: sample.diagnosis }
    while (!signal.aborted) {
      const what = await ports.pause({ step: 'diagnosis', next: null, diagnosed: true }, signal)
      while (notes.length > 0) yield { type: 'note-added', at: at(clock), text: notes.shift() ?? '' }
      if (what.do !== 'retest') break
      await delay(800)
      yield { type: 'retested', at: at(++clock), ...sample.retest }
    }
  }
  stopNotes()
  stopCancels()
  yield { type: 'run-finished', at: at(clock), end: signal.aborted ? 'interrupted' : 'done' }
}

/** All events of a walk that nobody steers, reduced. `until` stops after so many steps. */
export async function stateOf(sample: Sample, until = Number.POSITIVE_INFINITY): Promise<RunState> {
  let state = initialRunState
  let pauses = 0
  const aborter = new AbortController()
  const ports: WalkPorts = {
    ask: async () => 'unknown',
    pause: async ({ diagnosed }) => {
      pauses += 1
      if (diagnosed || pauses >= until) aborter.abort()
      return { do: 'next' }
    },
    onCancelCommands: () => () => undefined,
    onNote: () => () => undefined,
  }
  for await (const event of play(sample, ports, aborter.signal)) {
    if (event.type === 'run-finished') break
    state = reduceRun(state, event)
  }
  return state
}

const quote = (entry: string, statement: string, excerpt: string | null = null) => ({ entry, statement, excerpt })

export const plaintextCause: Cause = {
  code: 'dr-tls-disable-vs-strict',
  layer: 'transport-mtls',
  severity: 'error',
  why: '',
  subject: 'DestinationRule shop/ledger-pool',
  title: 'web talks plaintext to ledger, which accepts only mTLS',
  statement:
    "DestinationRule shop/ledger-pool turns TLS off for ledger.pay. It overrides automatic mTLS. PeerAuthentication pay/default is STRICT, so ledger's proxy drops the connection.",
  certainty: 'proven',
  supporting: [
    quote('C5', 'web-1 has no TLS towards the cluster', '"transportSocket": null'),
    quote(
      'C9',
      'ledger-1 logged NR filter_chain_not_found from 10.1.0.5, 10:00:01',
      '[2026-03-01T10:00:01.120Z] "- - -" 0 NR filter_chain_not_found - "-" 0 0 0 - "-" "-" "-" "-" "-" - - 10.2.0.11:8080 10.1.0.5:41222',
    ),
    quote('C8', 'PeerAuthentication pay/default is STRICT, port 8080 not excepted'),
  ],
  contradicting: [],
  fix: {
    statement: 'remove spec.trafficPolicy.tls from DestinationRule shop/ledger-pool, keep connectionPool',
    commands: ['kubectl -n shop edit destinationrule ledger-pool'],
    scope: 'callers in shop of ledger.pay',
    risk: 'low',
    undo: 'put the three lines back',
  },
  verify: {
    command:
      'kubectl -n shop exec deploy/web -c app -- curl -s -o /dev/null -w %{http_code} http://ledger.pay:8080/balance',
    expect: '200',
  },
  wouldDecide: null,
  about: 'call',
  seeAlso: [],
}

const hit = ({ code: _c, severity: _s, why: _w, seeAlso: _a, layer: _l, ...rest }: Cause) => rest

const hops = (
  clientProxy: Hop['state'],
  serverProxy: Hop['state'],
  app: Hop['state'],
  remarks: [string | null, string | null] = [null, null],
): Hop[] => [
  hop('client', 'web (app)', 'ok'),
  hop('client-proxy', 'web-1 proxy', clientProxy, remarks[0]),
  hop('server-proxy', 'ledger-1 proxy', serverProxy, remarks[1]),
  hop('app', 'ledger (app)', app),
]

const groundStep: SampleStep = {
  id: 'ground',
  label: 'ground',
  layer: 'client',
  title: 'Who is in the mesh, and what are we allowed to see?',
  proves: 'Whether both ends have a proxy, and which commands can work at all.',
  status: 'ok',
  learned: ['sidecars on both', 'istioctl 1.29.2 and the control plane fit together'],
  because: 'known mistakes are cheapest to find without any proxy',
  commands: [
    {
      display: 'istioctl version -o json',
      key: 'mesh.istioVersion',
      subject: 'mesh',
      learned: 'client 1.29.2, control plane 1.29.2, 41 proxies',
      ms: 900,
    },
    {
      display: 'kubectl get pods -n shop -l app=web -o json',
      key: 'client.pods',
      subject: 'pods of web.shop',
      learned: 'web-1, web-2 and web-3, each with a sidecar',
    },
  ],
  hops: hops('unknown', 'unknown', 'unknown'),
}

const analyzeStep: SampleStep = {
  id: 'analyze',
  label: 'analyze',
  layer: 'observability',
  title: 'Does istioctl analyze already know?',
  proves: 'Broken references and conflicts that can be seen in the objects alone.',
  status: 'problem',
  learned: ['1, not about this', 'IST0101 on shop/legacy names a host that no route of this call uses'],
  because: 'what the proxies were told must be current before it is read',
  commands: [
    {
      display: 'istioctl analyze -n shop -o json',
      key: 'mesh.analyze',
      subject: 'namespace shop',
      learned: '1 message: IST0101 VirtualService shop/legacy',
      ms: 3400,
    },
  ],
  settles: [
    {
      type: 'rule-settled',
      code: 'ist0101',
      layer: 'observability',
      outcome: {
        status: 'fired',
        hits: [
          {
            ...hit(plaintextCause),
            title: 'IST0101: VirtualService shop/legacy references a host that is not there',
            about: 'aside' as const,
          },
        ],
      },
    },
  ],
}

const routeSteps: SampleStep[] = [
  {
    id: 'sync',
    label: 'sync',
    layer: 'control-plane-xds',
    title: 'Have the proxies what istiod wants them to have?',
    proves: 'That what is read next is what istiod sent.',
    status: 'ok',
    learned: ['SYNCED 3m', 'web-1 and ledger-1 acknowledged every type'],
    because: 'the client proxy is the first that can answer 503 itself',
    commands: [
      {
        display: 'istioctl proxy-status web-1.shop -v 1',
        key: 'client.proxyStatus',
        subject: 'pod web-1.shop',
        learned: 'CDS EDS LDS RDS SYNCED (3m)',
      },
    ],
    hops: hops('ok', 'unknown', 'unknown'),
  },
  {
    id: 'route',
    label: 'route',
    layer: 'client-sidecar-cluster',
    title: "Does web-1's proxy know the way, and how does it speak?",
    proves: 'Route, cluster and endpoints as Envoy has them.',
    status: 'problem',
    learned: ['no TLS towards it', '2 healthy endpoints'],
    because: "the server's side may insist on mTLS",
    commands: [
      {
        display: 'istioctl proxy-config cluster web-1.shop --fqdn ledger.pay.svc.cluster.local -o json',
        key: 'client.clusters',
        subject: 'pod web-1.shop',
        learned:
          'outbound|8080||ledger.pay.svc.cluster.local is there, no TLS towards it: DestinationRule shop/ledger-pool says DISABLE',
        ms: 800,
      },
      {
        display:
          'istioctl proxy-config endpoint web-1.shop --cluster "outbound|8080||ledger.pay.svc.cluster.local" -o json',
        key: 'client.endpoints',
        subject: 'pod web-1.shop',
        learned: '2 endpoints, both HEALTHY',
      },
    ],
    hops: hops('broken', 'unknown', 'unknown', ['plaintext', null]),
  },
  {
    id: 'istiod',
    label: 'istiod log',
    layer: 'control-plane',
    title: 'Did istiod complain?',
    proves: 'Whether a push was rejected or an object ignored.',
    status: 'blind',
    learned: ['forbidden'],
    because: 'the transport at both ends is next in any case',
    commands: [
      {
        display: 'kubectl logs -n istio-system deploy/istiod --since=15m',
        key: 'mesh.istiodLog',
        subject: 'deployment istiod.istio-system',
        learned: '',
        missing: {
          reason: 'forbidden',
          detail:
            'pods "istiod-7d9" is forbidden: User "dev" cannot get resource "pods/log" in the namespace "istio-system"',
          unlock: 'kubectl auth can-i get pods/log -n istio-system',
        },
      },
    ],
  },
]

const transportStep: SampleStep = {
  id: 'transport',
  label: 'transport',
  layer: 'transport-mtls',
  title: 'Do both ends speak the same TLS?',
  proves: 'What the client sends and what the server accepts, per port.',
  status: 'problem',
  learned: ['conflict', 'the client sends plaintext, the server accepts only mTLS'],
  because: 'nothing below transport was reached: no request got to policy or the app',
  commands: [
    {
      display: 'kubectl -n pay get peerauthentication -o json',
      key: 'server.peerAuthentications',
      subject: 'namespace pay',
      learned: 'pay/default: STRICT, no port excepted',
    },
    {
      display: 'kubectl logs -n pay ledger-1 -c istio-proxy --since=15m',
      key: 'server.accessLog',
      subject: 'pod ledger-1.pay',
      learned: '14 lines NR filter_chain_not_found from 10.1.0.5',
      ms: 5200,
    },
  ],
  hops: hops('broken', 'broken', 'unknown', ['plaintext', 'wants mTLS']),
  settles: [
    {
      type: 'rule-settled',
      code: 'dr-tls-disable-vs-strict',
      layer: 'transport-mtls',
      outcome: { status: 'fired', hits: [hit(plaintextCause)] },
    },
  ],
}

const behindStep: SampleStep = {
  id: 'policy',
  label: 'policy',
  layer: 'authz',
  title: 'Would a policy deny it?',
  proves: 'Whether an AuthorizationPolicy would stand in the way after that.',
  status: 'ok',
  learned: ['no policy selects ledger'],
  because: 'everything on the way was looked at',
  commands: [
    {
      display: 'kubectl get authorizationpolicies -A -o json',
      key: 'mesh.authorizationPolicies',
      subject: 'mesh',
      learned: '4 policies, none selects ledger',
    },
  ],
}

const baseDiagnosis: Diagnosis = {
  verdict: 'cause',
  summary: 'web talks plaintext to ledger, which accepts only mTLS',
  answeredBy: {
    hop: 'client-proxy',
    certainty: 'proven',
    because: "web-1's access log: 503 UC on cluster outbound|8080||ledger…",
    evidence: [],
  },
  causes: [plaintextCause],
  otherFindings: [
    {
      ...plaintextCause,
      code: 'ist0101',
      certainty: 'proven',
      subject: 'VirtualService shop/legacy',
      title: 'IST0101 shop/legacy: true, but no route of this call uses it',
      statement: 'the host legacy.shop is not there',
    },
  ],
  ruledOut: [
    {
      code: 'authz-deny-rule-matched',
      layer: 'authz',
      because: 'no request reached the policies',
      evidence: [quote('C10', 'no policy selects ledger')],
    },
    {
      code: 'uh-no-endpoints',
      layer: 'kubernetes-endpoints',
      because: '2 healthy',
      evidence: [quote('C6', '2 healthy')],
    },
    {
      code: 'proxy-stale-or-disconnected',
      layer: 'control-plane-xds',
      because: 'SYNCED 3m',
      evidence: [quote('C4', 'SYNCED')],
    },
  ],
  notChecked: [
    {
      what: "istiod's log",
      layer: 'control-plane',
      reason: 'forbidden: pods/log in istio-system',
      unlock: 'kubectl auth can-i get pods/log -n istio-system',
    },
  ],
  nextSteps: [],
  observed: [quote('C4', 'web-1 answered 503 UC 14 times in 15 minutes')],
}

export const plaintextSample: Sample = {
  symptom: '503',
  steps: [groundStep, analyzeStep, ...routeSteps, transportStep, behindStep],
  diagnosis: baseDiagnosis,
  retest: { result: 'fixed', statement: 'curl from web now gets 200' },
}

const suspectA: Cause = {
  ...plaintextCause,
  code: 'uc-keepalive-race',
  layer: 'app',
  certainty: 'possible',
  title: 'ledger closes idle connections before the proxy does',
  statement:
    "The application's keep-alive is shorter than the proxy's idle timeout, so a request meets a closing connection.",
  supporting: [
    quote('C4', 'UC on reused connections only'),
    quote('C6', 'the cut comes after 60 s of quiet, six times'),
  ],
  contradicting: [],
  wouldDecide: {
    command: 'kubectl logs -n pay ledger-1 -c istio-proxy --since=15m',
    why: "ledger's own log says who closed first",
  },
}

const suspectB: Cause = {
  ...plaintextCause,
  code: 'uc-pod-shutdown',
  layer: 'lifecycle',
  certainty: 'possible',
  title: 'ledger pods are shut down while they still get requests',
  statement: 'A rollout ended pods before their endpoints were gone from the proxies.',
  supporting: [quote('C6', 'ledger-1 restarted 4 min ago')],
  contradicting: [quote('C9', 'no rollout in the last hour: ReplicaSet is 3 days old')],
  wouldDecide: null,
}

export const suspectsSample: Sample = {
  symptom: '503',
  steps: [groundStep, ...routeSteps.slice(0, 2), behindStep],
  diagnosis: {
    ...baseDiagnosis,
    verdict: 'suspects',
    summary: 'the connection to ledger is cut while idle: by its keep-alive, or by a shutdown',
    causes: [suspectA, suspectB],
    otherFindings: [],
  },
  retest: { result: 'same', statement: '503 UC, as before' },
}

export const inconclusiveSample: Sample = {
  symptom: '403',
  steps: [groundStep, routeSteps[2] ?? groundStep, behindStep],
  diagnosis: {
    ...baseDiagnosis,
    verdict: 'inconclusive',
    summary: 'who answered 403 is not known: the access logs of both sides could not be read',
    answeredBy: { hop: 'unknown', certainty: 'possible', because: 'no access log was readable', evidence: [] },
    causes: [],
    otherFindings: [],
    notChecked: [
      {
        what: 'access log of ledger-1',
        layer: 'authz',
        reason: 'forbidden: pods/log in pay',
        unlock: 'kubectl auth can-i get pods/log -n pay',
      },
      {
        what: 'routes of web-1',
        layer: 'client-sidecar-routing',
        reason: 'no port-forward allowed',
        unlock: 'kubectl auth can-i create pods/portforward -n shop',
      },
    ],
    nextSteps: [
      {
        command: 'kubectl logs -n pay ledger-1 -c istio-proxy --since=15m',
        statement: 'read the server proxy log with somebody who may',
        because: 'its response code details name the policy',
        effect: 'reads',
      },
    ],
  },
  retest: { result: 'changed', statement: 'now 503 instead of 403' },
}
