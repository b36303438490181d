import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canonicalKey, check, describeAllowList } from '../../src/exec/allow-list.ts'

/** Written as a person would type it; `␣` stands for a blank inside one argument. */
function command(line: string) {
  const [file, ...args] = line.split(' ').map((word) => word.replaceAll('␣', ' '))
  return { file: file as 'kubectl', args }
}

const allowed = `
kubectl get pods
kubectl get pods -A -o json
kubectl get pods -n shop -o json
kubectl get pods -n shop -ojson
kubectl get pods -nshop -o=json
kubectl -n shop get pods -o json
kubectl --namespace shop get pods -o json
kubectl get pod web-1 -n shop -o yaml
kubectl get pod/web-1 svc/ledger -n shop -o json
kubectl get virtualservices.networking.istio.io,destinationrules.networking.istio.io -A -o json
kubectl get authorizationpolicies -n shop -l app=web -o json
kubectl get pods -A --field-selector status.podIP=10.1.2.3 -o json
kubectl get events -n shop --sort-by .lastTimestamp
kubectl get pods -o jsonpath={.items[*].metadata.name}
kubectl get pods --ignore-not-found=true -o name
kubectl get secret web-tls -n edge -o json
kubectl get secret/web-tls -n edge -o json
kubectl get secrets -n edge
kubectl get secrets -n edge -o name
kubectl logs web-1 -n shop -c istio-proxy --tail 100
kubectl logs web-1 -n shop -c istio-proxy --tail -1
kubectl logs web-1 -n shop -c istio-proxy --tail=-1 --since=15m
kubectl logs deploy/web -n shop --previous --timestamps
kubectl logs web-1 -c istio-proxy -f --since-time=2026-01-02T03:04:05Z
kubectl logs -l app=ztunnel -n istio-system --prefix --max-log-requests 20
kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET stats
kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET stats?filter=cluster.outbound&format=json
kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET /config_dump?include_eds
kubectl exec -n shop web-1 -c istio-proxy -- pilot-agent request GET clusters?format=json
kubectl exec deploy/web -n shop -c istio-proxy -- pilot-agent request GET server_info
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET certs
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET ready
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET stats/prometheus
kubectl version -o json
kubectl version --client -o json
kubectl auth can-i create pods --subresource=portforward -n shop
kubectl auth can-i list mutatingwebhookconfigurations
kubectl auth can-i --list -n shop
kubectl api-resources -o wide
kubectl api-resources --api-group=security.istio.io -o name --no-headers
kubectl config current-context
kubectl config view --minify -o json
kubectl top pod -n shop --containers
kubectl top node
istioctl analyze -n shop -o json
istioctl analyze -A -o json --output-threshold Info
istioctl analyze --use-kube=false -o json gateway.yaml folder/more.yaml
istioctl version -o json --revision default
istioctl version --remote=false
istioctl proxy-status
istioctl proxy-status -v 1
istioctl ps web-1.shop -o json
istioctl proxy-config cluster web-1.shop --fqdn ledger.pay.svc.cluster.local -o json
istioctl pc ep web-1.shop --cluster outbound|8080||ledger.pay.svc.cluster.local -o json
istioctl proxy-config listener web-1 -n shop --port 15006 -o json
istioctl proxy-config routes deploy/web.shop --name 8080 -o json
istioctl proxy-config secret web-1.shop -o json
istioctl proxy-config all web-1.shop -o json
istioctl proxy-config bootstrap web-1.shop
istioctl proxy-config ecds web-1.shop -o json
istioctl proxy-config eds web-1.shop
istioctl proxy-config log web-1.shop
istioctl proxy-config rootca-compare web-1.shop ledger-1.pay
istioctl proxy-config cluster --file dump.json -o json
istioctl x describe pod web-1.shop
istioctl experimental describe service ledger -n pay
istioctl x authz check web-1.shop
istioctl x check-inject web-1.shop
istioctl x check-inject -n shop deploy/web
istioctl ztunnel-config workload -o json
istioctl zc connections ztunnel-abc.istio-system -o json
istioctl x ztunnel-config policy -o json
istioctl ztunnel-config certificate --node node-1 -o json
istioctl ztunnel-config log ztunnel-abc.istio-system
istioctl waypoint list -A
istioctl x waypoint list -n shop
istioctl waypoint status -n shop
istioctl remote-clusters --revision default
istioctl validate -f policy.yaml
istioctl bug-report --include shop
istioctl analyze --log_target=stderr -A`

const refused = `
curl -v http://ledger.pay:8080/
curl http://localhost:15000/quitquitquit -X POST
kubectl
kubectl apply -f x.yaml
kubectl create namespace x
kubectl delete pod web-1
kubectl patch deploy web -p {}
kubectl edit svc web
kubectl scale deploy web --replicas 0
kubectl rollout restart deploy web
kubectl label ns shop istio-injection=enabled
kubectl annotate pod web-1 a=b
kubectl cp web-1:/etc/passwd x
kubectl port-forward web-1 15000
kubectl proxy
kubectl debug web-1 -it --image busybox
kubectl attach web-1
kubectl run x --image y
kubectl drain node-1
kubectl describe pod web-1
kubectl whatever
kubectl config view
kubectl config view --minify=false
kubectl config view --minify --raw
kubectl config use-context prod
kubectl config set-credentials me --token=x
kubectl auth reconcile -f x.yaml
kubectl auth whoami
kubectl get --raw /api/v1/namespaces
kubectl get pods --raw=/api
kubectl get -f https://example.com/x.yaml
kubectl get -f x.yaml
kubectl get -k .
kubectl get pods -w
kubectl get pods --watch
kubectl get pods -o go-template={{.}}
kubectl get pods -o jsonpath-file=/etc/passwd
kubectl get pods --template x
kubectl get pods --server https://evil.example
kubectl get pods -s https://evil.example
kubectl get pods --token abc
kubectl get pods --token=abc
kubectl get pods --username a --password b
kubectl get pods --as admin
kubectl get pods --kubeconfig /tmp/other
kubectl --kubeconfig /tmp/other get pods
kubectl --context prod get pods
kubectl get pods --context prod
kubectl get pods --insecure-skip-tls-verify
kubectl get pods --client-key x
kubectl get pods -Ao json
kubectl get pods --unknown
kubectl get pods -n
kubectl get pods -n --raw
kubectl get pods -n -A
kubectl get pods -n=-x
kubectl get pods -l --raw
kubectl -A get pods
kubectl -o json get pods
kubectl get pods -- -f
kubectl get ../../etc
kubectl get @file
kubectl get pods web;id
kubectl get pods $(id)
kubectl get pods web␣1
kubectl get
kubectl get secrets -n edge -o json
kubectl get secrets -A -o json
kubectl get secret web-tls -A -o json
kubectl get secret web-tls -n edge -o yaml
kubectl get secret web-tls -n edge -o jsonpath={.data}
kubectl get secret web-tls -o custom-columns=X:.data
kubectl get pods,secrets -n edge -o json
kubectl get pod/web-1 secret/web-tls -o yaml
kubectl get Secret.v1. web-tls -o yaml
kubectl logs -evil -n shop
kubectl logs --help
kubectl logs web-1 --since=15m;reboot
kubectl exec web-1 -n shop -- pilot-agent request GET stats
kubectl exec web-1 -n shop -c app -- pilot-agent request GET stats
kubectl exec web-1 -n shop -c istio-proxy -- sh
kubectl exec web-1 -n shop -c istio-proxy -- sh -c id
kubectl exec web-1 -n shop -c istio-proxy -- curl localhost:15000/stats
kubectl exec web-1 -n shop -c app -- curl http://ledger.pay:8080/
kubectl exec web-1 -c istio-proxy -- pilot-agent request POST stats
kubectl exec web-1 -c istio-proxy -- pilot-agent request POST quitquitquit
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET quitquitquit
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET logging
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET logging?level=debug
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET stats/../quitquitquit
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET /stats/%2e%2e/logging
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET http://evil.example/stats
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET stats␣logging
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET heapprofiler
kubectl exec web-1 -c istio-proxy -- pilot-agent request GET stats extra
kubectl exec web-1 -c istio-proxy -- pilot-agent request --debug-port=15004 GET stats
kubectl exec web-1 -c istio-proxy -- pilot-agent proxy
kubectl exec -i web-1 -c istio-proxy -- pilot-agent request GET stats
kubectl exec web-1 -it -c istio-proxy -- pilot-agent request GET stats
kubectl exec web-1 -c istio-proxy pilot-agent request GET stats
kubectl exec -c istio-proxy -- pilot-agent request GET stats
kubectl exec -evil -c istio-proxy -- pilot-agent request GET stats
istioctl
istioctl install
istioctl upgrade
istioctl uninstall --purge
istioctl manifest apply
istioctl operator init
istioctl proxy-config log web-1.shop --level debug
istioctl proxy-config log web-1.shop --level=debug
istioctl pc log web-1.shop --reset
istioctl pc o web-1.shop -r
istioctl ztunnel-config log ztunnel-1 --level debug
istioctl admin log --level ads:debug
istioctl dashboard envoy web-1
istioctl tag set prod --revision x
istioctl waypoint apply -n shop
istioctl waypoint delete -n shop
istioctl waypoint generate
istioctl x waypoint apply
istioctl create-remote-secret
istioctl kube-inject -f x.yaml
istioctl x workload entry configure
istioctl x internal-debug syncz
istioctl x precheck
istioctl analyze https://example.com/x.yaml
istioctl analyze -
istioctl validate -f https://example.com/x.yaml
istioctl validate -f -
istioctl proxy-config cluster --file -
istioctl proxy-status --xds-address evil.example:15010
istioctl proxy-status --insecure
istioctl proxy-status --plaintext
istioctl proxy-config cluster -evil
istioctl proxy-config cluster web-1.shop ledger.pay
istioctl proxy-config whatever web-1.shop
istioctl analyze -c other.kubeconfig
istioctl analyze --context prod
istioctl proxy-config cluster web-1.shop -o json -- --reset`

const lines = (text: string) => text.trim().split('\n')

describe('what only reads may start', () => {
  test.each(lines(allowed))('%s', (line) => {
    expect(check(command(line))).toMatchObject({ allowed: true, effect: 'reads' })
  })
})

describe('everything else is refused before it starts', () => {
  test.each(lines(refused))('%s', (line) => {
    const answer = check(command(line))
    expect(answer.allowed).toBe(false)
    expect(answer.allowed || answer.why).toMatch(/\S/)
  })

  test.each([
    ['a line break', ['get', 'pods\n--raw=/']],
    ['NUL', ['get', 'pods\0']],
    ['an escape sequence', ['get', 'pods', '-l', 'a=\x1b[31mb']],
    ['a right-to-left override', ['get', 'pods', '-l', 'a=\u202Eb']],
    ['a zero-width blank', ['get', 'pods', '-n', 'sh\u200bop']],
    ['an empty word', ['get', '']],
    ['a megabyte', ['get', 'pods', '-l', 'a'.repeat(1_000_000)]],
  ])('%s in an argument', (_, args) => {
    expect(check({ file: 'kubectl', args }).allowed).toBe(false)
  })
})

test('a bug report is only made when asked for', () => {
  expect(check(command('istioctl bug-report'))).toEqual({ allowed: true, effect: 'reads', onlyOnRequest: true })
  expect(check(command('kubectl get pods'))).toEqual({ allowed: true, effect: 'reads', onlyOnRequest: false })
})

test('the places of flags do not make another command', () => {
  const key = canonicalKey(command('kubectl get pods -n shop -o json'))
  for (const same of ['kubectl -n shop get pods -o json', 'kubectl get -ojson pods --namespace=shop'])
    expect(canonicalKey(command(same))).toBe(key)
  for (const other of ['kubectl get pods -n pay -o json', 'kubectl get pods -n shop', 'kubectl get pods json -n shop'])
    expect(canonicalKey(command(other))).not.toBe(key)
  expect(canonicalKey(command('istioctl ps'))).toBe(canonicalKey(command('istioctl proxy-status')))
})

test('the list can be shown, and every entry says what it does', () => {
  const list = describeAllowList()
  expect(list.length).toBeGreaterThan(30)
  expect(list.map(({ title }) => title)).toContain('istioctl x describe pod')
  expect(list.filter(({ onlyOnRequest }) => onlyOnRequest).map(({ title }) => title)).toEqual(['istioctl bug-report'])
})

test('no other file of the program starts a process', () => {
  const root = resolve(import.meta.dirname, '../../src')
  const starting = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.tsx?$/.test(path))
    .filter((path) =>
      /from '(node:)?(child_process|execa)'|import\('(node:)?(child_process|execa)'\)/.test(
        readFileSync(join(root, path), 'utf8'),
      ),
    )
  expect(starting).toEqual(starting.filter((path) => path === 'exec/live.ts'))
})
