import type { MissingReason } from '../model/missing.ts'

export interface FailureText {
  readonly reason: MissingReason
  readonly tool: 'kubectl' | 'istioctl' | 'any'
  readonly pattern: RegExp
  /** A line as the tool printed it. It matches this pattern and no other; a test holds that. */
  readonly sample: string
}

const entry = (reason: MissingReason, tool: FailureText['tool'], pattern: RegExp, sample: string): FailureText => ({
  reason,
  tool,
  pattern,
  sample,
})

/**
 * What kubectl and istioctl print when they could not do it, line by line. Patterns exclude each other instead of relying
 * on their order, so that an addition cannot change what another line means.
 */
export const failureTexts: readonly FailureText[] = [
  entry(
    'port-forward-denied',
    'any',
    /cannot create resource "pods\/portforward"/,
    'Error: failed to execute command on web-1.shop sidecar: failure running port forward process: failure running port forward process: port forward: error upgrading connection: pods "web-1" is forbidden: User "dev" cannot create resource "pods/portforward" in API group "" in the namespace "shop"',
  ),
  entry(
    'exec-denied',
    'any',
    /cannot create resource "pods\/exec"/,
    'Error from server (Forbidden): pods "web-1" is forbidden: User "dev" cannot create resource "pods/exec" in API group "" in the namespace "shop"',
  ),
  entry(
    'forbidden',
    'any',
    /\bis forbidden: (?!.*cannot create resource "pods\/(?:portforward|exec)")/,
    'Error from server (Forbidden): pods is forbidden: User "dev" cannot list resource "pods" in API group "" in the namespace "shop"',
  ),
  entry('forbidden', 'any', /\(Forbidden\): (?!.*is forbidden: )/, 'Error from server (Forbidden): unknown'),
  entry(
    'forbidden',
    'any',
    /admission webhook ".*" denied the request/,
    'Error from server: admission webhook "no-exec.example.com" denied the request: exec is not allowed here',
  ),
  entry(
    'forbidden',
    'istioctl',
    /code = PermissionDenied/,
    'Error: could not get XDS from discovery pod "istiod-1": rpc error: code = PermissionDenied desc = not allowed',
  ),

  entry(
    'unauthenticated',
    'any',
    /\(Unauthorized\)|\bUnauthorized$/,
    'error: You must be logged in to the server (Unauthorized)',
  ),
  entry(
    'unauthenticated',
    'any',
    /asked for the client to provide credentials/,
    'error: You must be logged in to the server (the server has asked for the client to provide credentials)',
  ),
  entry(
    'unauthenticated',
    'any',
    /getting credentials: /,
    'Unable to connect to the server: getting credentials: exec: executable aws failed with exit code 255',
  ),
  entry(
    'unauthenticated',
    'istioctl',
    /code = Unauthenticated/,
    'Error: could not get XDS from discovery pod "istiod-1": rpc error: code = Unauthenticated desc = authentication required',
  ),

  entry('no-cluster', 'any', /context "[^"]*" does not exist/, 'error: context "prod" does not exist'),
  entry(
    'no-cluster',
    'any',
    /context was not found for specified context|cannot locate context/,
    'Error in configuration: context was not found for specified context: prod',
  ),
  entry(
    'no-cluster',
    'any',
    /\bstat \S+: no such file or directory/,
    'Error: failed to setup client: stat /home/dev/other: no such file or directory',
  ),
  entry(
    'no-cluster',
    'any',
    /no configuration has been provided|current-context is not set|error loading config file|invalid configuration: /i,
    'error: current-context is not set',
  ),
  entry(
    'no-cluster',
    'kubectl',
    /connection to the server localhost:8080 was refused/,
    'The connection to the server localhost:8080 was refused - did you specify the right host or port?',
  ),
  entry(
    'no-cluster',
    'any',
    /dial tcp (?:127\.0\.0\.1|\[::1\]):8080: /,
    'Error: unable to retrieve Pods: Get "http://localhost:8080/api/v1/pods": dial tcp 127.0.0.1:8080: connect: connection refused',
  ),

  entry(
    'unreachable',
    'kubectl',
    /connection to the server (?!localhost:8080)\S+ was refused/,
    'The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?',
  ),
  entry(
    'unreachable',
    'any',
    /: no such host/,
    'Unable to connect to the server: dial tcp: lookup api.example.com: no such host',
  ),
  entry(
    'unreachable',
    'any',
    /dial tcp (?!(?:127\.0\.0\.1|\[::1\]):8080: )\S+: (?:connect: |i\/o timeout)/,
    'Error: Get "https://10.0.0.1:6443/api/v1/namespaces/shop?timeout=15s": dial tcp 10.0.0.1:6443: connect: connection refused',
  ),
  entry(
    'unreachable',
    'any',
    /TLS handshake timeout|Client\.Timeout exceeded|http2: client connection lost/,
    'Unable to connect to the server: net/http: TLS handshake timeout',
  ),
  entry(
    'unreachable',
    'any',
    /tls: failed to verify certificate|x509: certificate (?:signed by|has expired|is valid for)/,
    'Unable to connect to the server: x509: certificate signed by unknown authority',
  ),
  entry(
    'unreachable',
    'any',
    /\((?:ServiceUnavailable|InternalError|Timeout|TooManyRequests)\): |server is currently unable to handle the request/,
    'Error from server (ServiceUnavailable): the server could not answer',
  ),
  entry(
    'unreachable',
    'kubectl',
    /Unable to connect to the server: (?:EOF|unexpected EOF|read tcp)/,
    'Unable to connect to the server: EOF',
  ),

  entry(
    'not-found',
    'any',
    /" not found(?: in (?:the )?(?:"[^"]*" )?namespace(?: "[^"]*")?)?\.?$/,
    'Error: failed to execute command on web-1.shop sidecar: failure running port forward process: failure running port forward process: building port forwarded: failed retrieving: pods "web-1" not found in the "shop" namespace',
  ),
  entry('not-found', 'istioctl', /no pods match "|does not refer to a pod/, 'Error: no pods match "deployment/web"'),
  entry(
    'not-found',
    'kubectl',
    /unable to upgrade connection: pod does not exist/,
    'error: unable to upgrade connection: pod does not exist',
  ),

  entry(
    'no-container',
    'kubectl',
    /container \S+ is not valid for pod/,
    'error: container istio-proxy is not valid for pod ledger-1',
  ),
  entry(
    'no-container',
    'any',
    /container not found \(/,
    'error: unable to upgrade connection: container not found ("istio-proxy")',
  ),
  entry(
    'no-container',
    'kubectl',
    /is waiting to start: |cannot exec into a container in a completed pod/,
    'Error from server (BadRequest): container "istio-proxy" in pod "web-1" is waiting to start: PodInitializing',
  ),

  entry(
    'no-proxy',
    'istioctl',
    /port forward process: Get "http:\/\/localhost:\d+\/[^"]*": (?:EOF|read |dial |http: )/,
    'Error: failed to execute command on legacy-1.old sidecar: failure running port forward process: Get "http://localhost:36647/config_dump": EOF',
  ),
  entry(
    'no-proxy',
    'any',
    /failed to connect to localhost:150\d\d inside namespace/,
    '2026-01-02T03:04:05.000000Z\terror\tklog\tan error occurred forwarding 36647 -> 15000: error forwarding port 15000 to pod old/legacy-1, uid : failed to connect to localhost:15000 inside namespace "x", IPv4: dial tcp4 127.0.0.1:15000: connect: connection refused',
  ),
  entry(
    'no-proxy',
    'any',
    /port forward failed: lost connection to pod|^error: lost connection to pod/,
    '2026-01-02T03:04:05.000000Z\terror\tport forward failed: lost connection to pod',
  ),
  entry(
    'no-proxy',
    'istioctl',
    /pod is not running\. Status=/,
    'Error: failed to execute command on web-1.shop sidecar: failure running port forward process: building port forwarded: pod is not running. Status=Pending',
  ),
  entry(
    'no-proxy',
    'istioctl',
    /only supported by Ztunnel proxies/,
    'Error: workloads command is only supported by Ztunnel proxies: web-1',
  ),
  entry(
    'no-proxy',
    'istioctl',
    /no configuration type type\.googleapis\.com\/envoy\.admin\.v3\.(?!Ecds)/,
    'Error: config dump has no configuration type type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
  ),
  entry(
    'no-proxy',
    'istioctl',
    /unexpected status code: 404/,
    'Error: failed to execute command on Envoy: unexpected status code: 404',
  ),
  entry(
    'no-proxy',
    'any',
    /exec: "pilot-agent": (?:executable file not found|stat )/,
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "pilot-agent": executable file not found in $PATH: unknown',
  ),

  entry(
    'no-istiod',
    'istioctl',
    /no (?:running|ready) Istio pods in /,
    'Error: no running Istio pods in "istio-system"',
  ),
  entry('no-istiod', 'istioctl', /unable to find any Istiod instances/, 'Error: unable to find any Istiod instances'),

  entry(
    'timed-out',
    'istioctl',
    /could not get XDS from discovery pod "[^"]*": (?:timeout|connection closed)/,
    'Error: could not get XDS from discovery pod "istiod-1": timeout, still waiting for updates: istio.io/debug/syncz',
  ),
  entry(
    'timed-out',
    'any',
    /timed out waiting for the condition|timed out while retrieving status|context deadline exceeded$/,
    'error: timed out waiting for the condition',
  ),

  entry('unsupported', 'any', /unknown (?:shorthand )?flag: /, "Error: unknown shorthand flag: 'o' in -o"),
  entry(
    'unsupported',
    'any',
    /unknown (?:sub)?command "|unknown resource type "/,
    'Error: unknown command "ztunnel-config" for "istioctl"',
  ),
  entry(
    'unsupported',
    'kubectl',
    /server doesn't have a resource type "|no matches for kind "|could not find the requested resource/,
    'error: the server doesn\'t have a resource type "virtualservices"',
  ),
  entry(
    'unsupported',
    'any',
    /output format "[^"]*" not supported|not a valid option for format|--output is not applicable|--output must be/,
    'Error: output format "json" not supported',
  ),
  entry('unsupported', 'kubectl', /Metrics API not available/, 'error: Metrics API not available'),
  entry(
    'unsupported',
    'istioctl',
    /\(authz is experimental/,
    'Error: (authz is experimental. Use `istioctl experimental authz`)',
  ),

  entry(
    'empty',
    'istioctl',
    /no configuration type type\.googleapis\.com\/envoy\.admin\.v3\.Ecds/,
    'Error: config dump has no configuration type type.googleapis.com/envoy.admin.v3.EcdsConfigDump',
  ),
  entry('empty', 'istioctl', /^Error: no (?:clusters|listeners|routes|endpoints) found$/, 'Error: no listeners found'),

  entry(
    'not-recorded',
    'any',
    /not in this archive: /,
    'error: not in this archive: cannot list resource "virtualservices" in API group "networking.istio.io" in the namespace "shop"',
  ),
]
