import { fired, quiet } from '../../model/finding.ts'
import { quote, quoteObject } from '../../situation/situation.ts'
import { defineRule } from '../define-rule.ts'
import { objectName } from '../lib/cluster.ts'
import { hitOf } from '../lib/make-hit.ts'
import { callerName, tryAgain } from '../lib/words.ts'

/** The host exists only in Istio's configuration, and the application asks a DNS server that has never heard of it. */
export default defineRule({
  code: 'dns-capture-nxdomain',
  layer: 'dns',
  severity: 'error',
  explains: ['timeout', 'reset', '502', '503', 'tls'],
  title: 'The caller cannot resolve the name',
  why: 'A ServiceEntry tells proxies where a host is, and says nothing to DNS. Unless proxies answer DNS themselves, a name that no DNS server knows cannot be called.',
  needs: [['client.config', 'server.config']],
  check(situation) {
    const { curl } = situation.pasted
    const unresolved = curl && (curl.errorCode === 6 || /could not resolve host/i.test(curl.errorText ?? ''))
    if (!unresolved) return quiet
    const host = curl.host ?? situation.server.host ?? ''
    const entry =
      situation.store.list('ServiceEntry').find(({ object }) => (object.spec?.hosts ?? []).includes(host)) ?? null
    const { pod } = situation.client
    const config = pod?.annotations['proxy.istio.io/config'] ?? ''
    const mesh = JSON.stringify(situation.mesh.defaultConfig)
    const env = JSON.stringify(pod?.object.spec ?? {})
    const captures =
      [config, mesh, env].some((text) => /ISTIO_META_DNS_CAPTURE[^a-z]*(?:"value":)?[^a-z]*true/.test(text)) ||
      pod?.proxy === 'ambient'
    return fired(
      hitOf({
        subject: host,
        title: `${callerName(situation)} cannot resolve ${host}`,
        statement: `The caller got no address for ${host}, so no proxy was asked.${entry ? ` ${objectName(entry.object)} names the host, which proxies know and DNS does not.` : ''}${pod ? ` DNS capture is ${captures ? 'on' : 'not on'} for ${pod.name}.` : ''}`,
        certainty: entry && pod && !captures ? 'proven' : 'likely',
        supporting: [
          quote('given', 'what the caller saw', curl.errorText ?? 'could not resolve host'),
          ...(entry ? [quoteObject(entry, 'who names the host', { hosts: entry.object.spec?.hosts })] : []),
          ...(pod
            ? [quote(pod.entry, `DNS capture of ${pod.name}`, config || 'no proxy.istio.io/config annotation')]
            : []),
        ],
        fix: {
          statement: `Give ${host} an entry in DNS, or switch on DNS capture for the caller: annotation proxy.istio.io/config with proxyMetadata ISTIO_META_DNS_CAPTURE "true" in its pod template; keep the annotation's other settings.`,
          commands: [],
          scope: callerName(situation),
          risk: 'the pods of that workload are replaced once',
          undo: 'remove the setting again',
        },
        verify: tryAgain(situation, 'an address for the name, and an answer'),
        wouldDecide:
          entry && pod && !captures
            ? null
            : {
                command: 'kubectl get serviceentries.networking.istio.io -A',
                why: `it shows whether a ServiceEntry names ${host}`,
              },
      }),
    )
  },
})
