import { describe, expect, test } from 'vitest'
import type { Hit } from '../../src/model/finding.ts'
import { addEvent, change, notReady, statusOf } from '../helpers/edit-objects.ts'
import { type Played, play } from '../helpers/play.ts'
import { editJson, edits, editText, forbid } from '../helpers/session-fixtures.ts'

const codes = ({ state }: Played) => state.diagnosis?.causes.map(({ code }) => code) ?? []
function hitOf(played: Played, code: string): Hit | undefined {
  const outcome = played.outcome(code)
  return outcome.status === 'fired' ? outcome.hits[0] : undefined
}
const states = (proxy: string, how: (config: any) => void) =>
  editJson(/^istioctl proxy-status/, (answer) => {
    for (const resource of answer.resources)
      if (resource.node.id.startsWith(proxy)) for (const one of resource.genericXdsConfigs) how(one)
    return answer
  })
const toolVersion = (version: string) =>
  editJson(/^istioctl version/, (answer) => ({ ...answer, clientVersion: { ...answer.clientVersion, version } }))

/** The same certificate, with its second date (notAfter) in the past; nobody checks its signature here. */
function ranOut(body: string): string {
  let seen = 0
  const text = Buffer.from(body, 'base64')
    .toString('latin1')
    .replace(/\d{12}Z/g, (date) => {
      seen += 1
      return seen === 1 ? '200101000000Z' : seen === 2 ? '210101000000Z' : date
    })
  return `\n${Buffer.from(text, 'latin1').toString('base64')}\n`
}

describe('proxy-nack-error', () => {
  test('names the proxy, the object and Envoy’s reason, and warns of a restart', async () => {
    const played = await play('nack-listener')
    expect(codes(played)).toEqual(['proxy-nack-error'])
    const hit = hitOf(played, 'proxy-nack-error')
    expect(hit?.title).toContain('EnvoyFilter shop/web-headers')
    expect(hit?.statement).toContain('script load error')
    expect(hit?.fix.statement).toContain('Do not restart')
    expect(hit?.fix.commands.join()).not.toMatch(/restart|delete pod/)
  })

  test('from the state alone, with istiod’s log forbidden', async () => {
    const hit = hitOf(await play('nack-listener', { edit: forbid(/logs istiod/) }), 'proxy-nack-error')
    expect(hit?.certainty).toBe('proven')
  })

  test('a rejection that a later push has overcome is history', async () => {
    const played = await play('nack-listener', {
      edit: states('web-', (config) => {
        config.configStatus = 'SYNCED'
        delete config.errorState
      }),
    })
    expect(played.outcome('proxy-nack-error').status).toBe('ruled-out')
  })

  test('a proxy that is not on the way rejects nothing for this call', async () => {
    const played = await play('not-applied-gateway-only', {
      edit: states('reviews-', (config) => {
        config.configStatus = 'ERROR'
      }),
    })
    expect(played.outcome('proxy-nack-error').status).toBe('ruled-out')
  })
})

describe('proxy-stale-or-disconnected', () => {
  test('STALE, and a proxy that does not answer', async () => {
    const played = await play('stale-eds')
    expect(codes(played)).toEqual(['proxy-stale-or-disconnected'])
    expect(hitOf(played, 'proxy-stale-or-disconnected')?.certainty).toBe('proven')
    expect(played.state.diagnosis?.answeredBy.hop).toBe('unknown')
  })

  test('STALE with a rejection in istiod’s log is a rejection', async () => {
    const played = await play('nack-listener', {
      edit: states('web-', (config) => {
        if (config.configStatus === 'ERROR') config.configStatus = 'STALE'
      }),
    })
    expect(codes(played)).toEqual(['proxy-nack-error'])
  })

  test('not in the list although it runs: likely, and proven with the closed stream', async () => {
    const gone = editJson(/^istioctl proxy-status/, (answer) => ({
      ...answer,
      resources: answer.resources.filter(({ node }: any) => !node.id.startsWith('web-')),
    }))
    const played = await play('not-applied-gateway-only', { edit: gone })
    expect(hitOf(played, 'proxy-stale-or-disconnected')?.certainty).toBe('likely')
    const closed = await play('not-applied-gateway-only', {
      edit: edits(
        gone,
        editText(
          /^kubectl logs web/,
          (text) =>
            `2026-11-21T05:00:00.000000Z\twarning\tenvoy config external/envoy/source/extensions/config_subscription/grpc/grpc_stream.h:226\tStreamAggregatedResources gRPC config stream to xds-grpc closed since 40s ago: 14, connection refused\tthread=20\n${text}`,
        ),
      ),
    })
    expect(hitOf(closed, 'proxy-stale-or-disconnected')?.certainty).toBe('proven')
  })

  test('absent because the list was refused proves nothing', async () => {
    const played = await play('not-applied-gateway-only', { edit: forbid(/proxy-status/) })
    expect(played.outcome('proxy-stale-or-disconnected').status).toBe('blind')
    expect(hitOf(played, 'debug-endpoint-denied')?.about).toBe('aside')
  })

  test('absent because another revision was asked proves nothing', async () => {
    const played = await play('not-applied-gateway-only', {
      edit: edits(
        editJson(/^istioctl proxy-status/, (answer) => ({
          ...answer,
          resources: answer.resources.filter(({ node }: any) => !node.id.startsWith('web-')),
        })),
        change('Pod', /^web-/, (pod) => {
          pod.metadata.annotations['istio.io/rev'] = 'other'
        }),
      ),
    })
    expect(played.outcome('proxy-stale-or-disconnected').status).not.toBe('fired')
  })

  test('an empty list beside running proxies is a question of permission', async () => {
    const played = await play('not-applied-gateway-only', {
      edit: editJson(/^istioctl proxy-status/, (answer) => ({ ...answer, resources: [] })),
    })
    expect(played.outcome('proxy-stale-or-disconnected').status).not.toBe('fired')
    expect(played.outcome('debug-endpoint-denied').status).toBe('fired')
    expect((await play('healthy-strict')).outcome('debug-endpoint-denied').status).toBe('quiet')
  })
})

test('stale-rds-404: the gateway that answers 404 has not taken up its routes', async () => {
  const edit = states('istio-ingressgateway', (config) => {
    if (config.typeUrl.endsWith('RouteConfiguration')) config.configStatus = 'STALE'
  })
  const hit = hitOf(await play('404-gateway-host', { edit }), 'stale-rds-404')
  expect(hit?.certainty).toBe('likely')
  expect((await play('404-gateway-host')).outcome('stale-rds-404').status).toBe('quiet')
})

describe('what the injection webhook leaves behind', () => {
  const failed = (reason: string) =>
    addEvent(
      'shop',
      { kind: 'ReplicaSet', name: 'late-66574457fc' },
      {
        reason: 'FailedCreate',
        message: `Error creating: Internal error occurred: failed calling webhook "namespace.sidecar-injector.istio.io": failed to call webhook: Post "https://istiod.istio-system.svc:443/inject?timeout=10s": ${reason}`,
      },
    )

  test.each([
    ['context deadline exceeded', 'inject-webhook-unreachable'],
    ['x509: certificate signed by unknown authority', 'inject-webhook-x509'],
  ])('%s', async (reason, code) => {
    const played = await play('not-injected', { edit: failed(reason) })
    expect(codes(played)).toContain(code)
    expect(hitOf(played, code)?.certainty).toBe('proven')
    expect((await play('not-injected')).outcome(code).status).toBe('quiet')
  })

  test('another workload whose name begins alike is another workload', async () => {
    const other = addEvent(
      'shop',
      { kind: 'ReplicaSet', name: 'late-report-6b5d9c7f48' },
      {
        reason: 'FailedCreate',
        message: 'failed calling webhook "namespace.sidecar-injector.istio.io": x509: certificate has expired',
      },
    )
    const played = await play('not-injected', { edit: other })
    expect(hitOf(played, 'inject-webhook-x509')?.about).toBe('aside')
  })

  test('a pod that is there was made without istiod: what is down now comes next', async () => {
    const down = edits(
      change('Pod', /^istiod-/, notReady),
      change('Deployment', /^istiod/, (deployment) => {
        deployment.status = { replicas: 1 }
      }),
    )
    expect(hitOf(await play('not-injected', { edit: down }), 'istiod-down')?.about).toBe('next')
  })

  test('no endpoints, and no istiod', async () => {
    const down = edits(
      failed('no endpoints available for service "istiod"'),
      change('Pod', /^istiod-/, notReady),
      change('Deployment', /^istiod/, (deployment) => {
        deployment.status = { replicas: 1 }
      }),
    )
    const played = await play('not-injected', { edit: down })
    expect(codes(played)).toContain('istiod-down')
    expect(codes(played)).not.toContain('inject-webhook-unreachable')
    expect((await play('not-injected')).outcome('istiod-down').status).toBe('ruled-out')
  })
})

test('istiod-overloaded: killed for its memory', async () => {
  const edit = change('Pod', /^istiod-/, (pod) => {
    statusOf(pod, 'discovery').lastState = { terminated: { reason: 'OOMKilled', exitCode: 137 } }
  })
  // Whoever has acknowledged everything has missed nothing.
  expect((await play('not-applied-gateway-only', { edit })).outcome('istiod-overloaded').status).toBe('ruled-out')
  const unseen = edits(edit, forbid(/proxy-status/))
  expect(hitOf(await play('not-applied-gateway-only', { edit: unseen }), 'istiod-overloaded')?.certainty).toBe('likely')
  expect((await play('not-applied-gateway-only')).outcome('istiod-overloaded').status).toBe('quiet')
})

test('version-skew-proxies needs versions of both planes', async () => {
  const old = editJson(/^istioctl proxy-status/, (answer) => {
    for (const { node } of answer.resources) if (node.id.startsWith('web-')) node.metadata.ISTIO_VERSION = '1.27.1'
    return answer
  })
  const collected = {
    id: 'all',
    title: 'all',
    says: ['all'],
    symptoms: ['503' as const],
    about: 'all',
    steps: [
      {
        id: 'all',
        label: 'all',
        layer: 'upgrade' as const,
        title: 'all',
        proves: 'all',
        collect: [
          'mesh.clientVersion',
          'mesh.apiResources',
          'mesh.version',
          'server.config',
          'client.config',
          'mesh.proxyStatus',
        ],
        next: [{ goto: 'diagnosis', because: 'all' }],
      },
    ],
  } as any
  const hit = hitOf(await play('healthy-strict', { edit: old, runbook: collected }), 'version-skew-proxies')
  expect(hit?.statement).toContain('1.27.1')
  expect((await play('healthy-strict', { runbook: collected })).outcome('version-skew-proxies').status).toBe('quiet')
})

describe('certificates', () => {
  const reason = (text: string) =>
    editText(/^kubectl logs web/, (log) =>
      log.replaceAll('268435703:SSL_routines:OPENSSL_internal:WRONG_VERSION_NUMBER', text),
    )
  const verify = '268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED'
  const meshed = edits(
    change('Pod', /^oldapp/, (pod) => {
      pod.spec.initContainers = [{ name: 'istio-proxy', restartPolicy: 'Always', args: ['proxy', 'sidecar'] }]
      pod.metadata.labels['security.istio.io/tlsMode'] = 'istio'
    }),
  )

  test('refused, and no roots to compare: likely', async () => {
    const played = await play('503-mutual-to-legacy', { edit: edits(meshed, reason(`${verify}:verify_cert_failed`)) })
    expect(codes(played)).toEqual(['cert-verify-failed'])
    expect(hitOf(played, 'cert-verify-failed')?.certainty).toBe('likely')
    expect((await play('503-mutual-to-legacy')).outcome('cert-verify-failed').status).toBe('ruled-out')
  })

  test('two proxies with different roots: proven', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: edits(
        change('DestinationRule', /^ledger-tls$/, (rule) => {
          rule.spec.trafficPolicy = {}
        }),
        editText(/^kubectl logs ledger/, () => ''),
        editText(/^kubectl logs web/, (log) =>
          log.replaceAll(
            '503 UC upstream_reset_before_response_started{connection_termination} - "-"',
            `503 URX,UF upstream_reset_before_response_started{remote_connection_failure|TLS_error:|${verify}:verify_cert_failed:TLS_error_end} - "TLS_error:|${verify}:verify_cert_failed:TLS_error_end"`,
          ),
        ),
        editJson(/proxy-config secret ledger/, (dump) => {
          for (const { secret } of dump.dynamicActiveSecrets)
            if (secret.name === 'ROOTCA')
              secret.validationContext.trustedCa.inlineBytes = Buffer.from(
                '-----BEGIN CERTIFICATE-----\nMIIBotherRootOfAnotherAuthority\n-----END CERTIFICATE-----\n',
              ).toString('base64')
          return dump
        }),
      ),
    })
    expect(codes(played)).toEqual(['cert-verify-failed'])
    expect(hitOf(played, 'cert-verify-failed')?.title).toContain('trust different roots')
    expect(hitOf(played, 'cert-verify-failed')?.certainty).toBe('proven')
  })

  test('expired, as the refusing side says', async () => {
    const played = await play('503-mutual-to-legacy', {
      edit: edits(meshed, reason(`${verify}:verify_cert_failed:_certificate_has_expired`)),
    })
    expect(codes(played)).toEqual(['workload-cert-expired'])
    expect((await play('503-mutual-to-legacy')).outcome('workload-cert-expired').status).toBe('quiet')
  })

  /** The failing handshakes of `two proxies with different roots`, with one kind of certificate ended before them. */
  const handshakes = (said: string, ended: string | null) =>
    edits(
      change('DestinationRule', /^ledger-tls$/, (rule) => {
        rule.spec.trafficPolicy = {}
      }),
      editText(/^kubectl logs ledger/, () => ''),
      editText(/^kubectl logs web/, (log) =>
        log.replaceAll(
          '503 UC upstream_reset_before_response_started{connection_termination} - "-"',
          `503 URX,UF upstream_reset_before_response_started{remote_connection_failure|TLS_error:|${verify}:${said}:TLS_error_end} - "TLS_error:|${verify}:${said}:TLS_error_end"`,
        ),
      ),
      editJson(/proxy-config secret/, (dump) => {
        for (const { secret } of dump.dynamicActiveSecrets)
          if (secret.name === ended) {
            const holder = secret.validationContext?.trustedCa ?? secret.tlsCertificate.certificateChain
            holder.inlineBytes = Buffer.from(
              Buffer.from(holder.inlineBytes, 'base64')
                .toString()
                .replace(/(?<=BEGIN CERTIFICATE-----)[^-]+/g, (body) => ranOut(body)),
            ).toString('base64')
          }
        return dump
      }),
    )

  test('the root has run out: said of the root, not of the workload whose own certificate is fresh', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: handshakes('verify_cert_failed:_certificate_has_expired', 'ROOTCA'),
    })
    expect(codes(played)).toEqual(['root-ca-expired'])
    expect(hitOf(played, 'root-ca-expired')?.title).toContain('2021-01-01T00:00:00Z')
    expect(played.outcome('workload-cert-expired').status).toBe('ruled-out')
    expect((await play('503-dr-disable-strict')).outcome('root-ca-expired').status).toBe('quiet')
  })

  test('the workload’s own certificate has run out, and the root is valid', async () => {
    const played = await play('503-dr-disable-strict', {
      edit: handshakes('verify_cert_failed:_certificate_has_expired', 'default'),
    })
    expect(codes(played)).toEqual(['workload-cert-expired'])
    expect(hitOf(played, 'workload-cert-expired')?.certainty).toBe('proven')
    expect(played.outcome('root-ca-expired').status).toBe('ruled-out')
  })

  test('the CA refuses the agent', async () => {
    const edit = edits(
      change('Pod', /^ledger-/, notReady),
      editText(
        /^kubectl logs ledger/,
        (log) =>
          `2026-11-21T05:00:00.000000Z\twarn\tsds\tfailed to warm certificate: failed to generate workload certificate: create certificate: rpc error: code = Unauthenticated desc = request authenticate failure\n${log}`,
      ),
    )
    const hit = hitOf(await play('503-not-ready', { edit }), 'ca-unauthenticated')
    expect(hit?.certainty).toBe('proven')
    expect((await play('503-not-ready')).outcome('ca-unauthenticated').status).toBe('quiet')
  })
})

test('config-order-503: a few NC, then it passes through the same cluster', async () => {
  const edit = editText(/^kubectl logs productpage/, (log) => {
    const bad = log.split('\n').filter((line) => / NC /.test(line))
    const [first = '', ...others] = bad
    const good = others.map((line) =>
      line.replace(/ 503 NC cluster_not_found /, ' 200 - via_upstream ').replace('2026-', '2027-'),
    )
    return [first, ...good, ''].join('\n')
  })
  const hit = hitOf(await play('503-subset-undefined', { edit }), 'config-order-503')
  expect(hit?.certainty).toBe('likely')
  expect((await play('503-subset-undefined')).outcome('config-order-503').status).toBe('quiet')
})

test('older tools cannot tell a rejection from silence', async () => {
  const played = await play('stale-eds', {
    edit: edits(toolVersion('1.24.0'), forbid(/logs istiod|proxy-config| exec /)),
  })
  for (const cause of played.state.diagnosis?.causes ?? []) expect(cause.certainty).not.toBe('proven')
})

describe('upgrade-behaviour-change', () => {
  const told = (origin: string) =>
    editJson(/analyze -n pay/, () => [
      {
        code: 'IST0169',
        level: 'Warning',
        message:
          'The configuration "ENABLE_AUTO_SNI" changed in release 1.30: callers now set a server name. Or, install with `--set compatibilityVersion=1.29` to retain the old default.',
        origin,
      },
    ])
  // istiod 1.30 begins at 05:30:22.5, between the caller's first line, which is made to pass, and the others; web's proxy is 1.29.
  const since = (oldProxy: string) =>
    edits(
      editText(/logs (?:web|orders)/, (log) =>
        log
          .split('\n')
          .map((line) =>
            line.includes('05:30:22.303Z')
              ? line
                  .replace(/ 503 (?:URX,UF )?(?:via_upstream|upstream_reset\S*) - "\S+"/, ' 200 - via_upstream - "-"')
                  .replace(' 503 - via_upstream', ' 200 - via_upstream')
              : line,
          )
          .join('\n'),
      ),
      change('Pod', /^istiod-/, (pod) => {
        statusOf(pod, 'discovery').state = { running: { startedAt: '2026-11-21T05:30:22.500Z' } }
      }),
      editJson(/^istioctl proxy-status/, (answer) => {
        for (const { node } of answer.resources) if (node.id.startsWith('web-')) node.metadata.ISTIO_VERSION = oldProxy
        return answer
      }),
    )

  test('a changed default that names the Service, and failures since istiod began: likely (finding, times, version)', async () => {
    const played = await play('503-connection-refused', { edit: edits(told('Service pay/orders'), since('1.29.4')) })
    const found = hitOf(played, 'upgrade-behaviour-change')
    expect(found?.certainty).toBe('likely')
    expect(found?.title).toContain('ENABLE_AUTO_SNI changed in release 1.30')
    expect(found?.fix.statement).toContain('compatibilityVersion=1.29')
    expect(codes(played)).toEqual(['uf-connection-refused'])
  })

  test('either of them alone is only possible', async () => {
    for (const edit of [told('Service pay/orders'), since('1.29.4')])
      expect(hitOf(await play('503-connection-refused', { edit }), 'upgrade-behaviour-change')?.certainty).toBe(
        'possible',
      )
  })

  test('a message about another Service, a restart of the same version, and no sign at all are quiet', async () => {
    for (const edit of [told('Service pay/ledger'), since('1.30.3'), edits()])
      expect((await play('503-connection-refused', { edit })).outcome('upgrade-behaviour-change').status).toBe('quiet')
  })
})
