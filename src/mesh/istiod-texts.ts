import { vocabulary } from './vocabulary-entry.ts'

/** Lines of istiod's log that decide an incident. */
export const istiodTexts = vocabulary(
  'istiod-text',
  { side: 'istiod' },
  {
    'ADS:…: ACK ERROR …': {
      aliases: ['…: ACK ERROR …'],
      layer: 'control-plane-xds',
      meaning: 'A proxy rejected a push; Envoy’s reason stands at the end. It keeps the configuration before it.',
      next: 'istioctl proxy-status -v 1 (ERROR), and what was changed at that second: EnvoyFilters first',
      mistake: 'The line may name neither object nor route. Other changes of the same type do not arrive either.',
    },
    'attempted to access unauthorized certificates …': {
      layer: 'gateway-tls',
      meaning:
        'A gateway asked for a Secret that its service account may not read (another namespace, or no right to read Secrets).',
      next: 'Namespace of the Secret against namespace of the gateway pod; the gateway’s Role',
      mistake: 'The Secret exists, and analyze is silent.',
    },
    '…is not authorized to read secrets…': {
      layer: 'gateway-tls',
      meaning: 'The gateway’s service account lacks the right to read Secrets in its namespace.',
      next: 'kubectl get rolebindings -n <gw-ns> -o yaml',
      mistake: 'The Secret exists.',
    },
    'failed to fetch key and certificate for …': {
      layer: 'gateway-tls',
      meaning:
        'A Gateway names a credential that istiod cannot find or read, so the gateway has no certificate for it.',
      next: 'kubectl get secrets -n <gw-ns>, against credentialName of the Gateway: it is looked for where the gateway pod runs',
      mistake: 'Handshakes break without any line in the gateway’s access log.',
    },
    'buildGatewayRoutes: no gateways for router …': {
      aliases: ['Gateway missing for route …'],
      layer: 'gateway-routing',
      meaning: 'No Gateway selects this gateway pod, or the one that did was deleted a moment ago.',
      next: 'kubectl get gateways.networking.istio.io -A -o yaml (selector), against the labels of the gateway pod',
      mistake: 'Once, right after a change, it is normal.',
    },
    'JWKS fetch failed for issuer …': {
      aliases: ['JWKS fetch failed…', '…using public-only JWKS…'],
      layer: 'request-authn',
      meaning:
        'istiod could not get the keys of an issuer and gave the proxies a stand-in key: every token of that issuer fails.',
      next: 'Can istiod reach the URI? Its egress, DNS, and CA bundle',
      mistake: 'Callers see "Jwt verification fails", as if the tokens were bad.',
    },
    'Failed to fetch public key from …': {
      aliases: ['Failed to fetch jwks from …', 'Content fetched from jwks URI … is not a valid JWKS'],
      layer: 'request-authn',
      meaning: 'istiod could not get an issuer’s keys.',
      next: 'What does the URI answer from istiod’s network?',
      mistake: 'A login page with status 200 counts as failure, too.',
    },
    'Failed to authenticate client…': {
      aliases: ['…request authenticate failure…', '…failed to authenticate…'],
      layer: 'control-plane-ca',
      meaning: 'istiod’s CA does not accept the token with which an agent asks for a certificate.',
      next: 'Token audience and issuer of the API server, clock, remote secrets of that cluster',
      mistake: 'No end-user token is involved.',
    },
    'constructed http route config for route … with no vhosts…': {
      aliases: ['…Setting up a default 404 vhost…'],
      layer: 'gateway-routing',
      meaning: 'A gateway’s port has no VirtualService bound to it: everything gets 404.',
      next: 'gateways: of the VirtualServices (namespace/name), hosts, exportTo',
      mistake: 'The gateway itself is healthy.',
    },
    'skipping server on gateway …': {
      aliases: ['…non unique port name…', '…duplicate host names…'],
      layer: 'gateway-tls',
      meaning: 'A server block of a Gateway was left out because it collides with another.',
      next: 'Gateways with the same selector, port and host (IST0145)',
      mistake: 'The object is stored and looks accepted.',
    },
    'Failed to add remote cluster…': {
      aliases: ['create remote cluster failed…'],
      layer: 'multicluster',
      meaning: 'istiod cannot watch another cluster: its remote secret is wrong or expired.',
      next: 'istioctl remote-clusters',
      mistake: 'Local services go on working, so it looks like a remote outage.',
    },
    'Not ready to switch validation to fail-closed…': {
      layer: 'control-plane',
      meaning: 'The validation webhook is not reachable yet, so invalid objects are let in.',
      next: 'kubectl get validatingwebhookconfigurations -o yaml',
      mistake: 'Traffic is not affected.',
    },
    'extension provider not found…': {
      aliases: ['…extension provider…not found…'],
      layer: 'ext-authz',
      meaning: 'A CUSTOM policy or Telemetry names a provider that meshConfig does not define.',
      next: 'extensionProviders in kubectl get cm istio -n istio-system -o yaml',
      mistake: 'The provider’s pods may run perfectly.',
    },
  },
)

/** Lines of the agent and of Envoy in the istio-proxy container, and of Kubernetes about the mesh. */
export const agentTexts = vocabulary(
  'istiod-text',
  { side: 'agent' },
  {
    'Envoy proxy is ready': {
      layer: 'lifecycle',
      meaning: 'The proxy has its configuration and takes traffic.',
      next: 'Nothing',
      mistake: 'It says nothing about the application.',
    },
    'Envoy proxy is NOT ready: config not received from XDS server…': {
      aliases: ['Envoy proxy is NOT ready: …'],
      layer: 'control-plane-xds',
      meaning: 'The proxy has not got its configuration from istiod, so the pod stays unready.',
      next: 'Does istiod run, and can the pod reach port 15012? kubectl get pods -n istio-system',
      mistake: 'The application container may be fine.',
    },
    '…config received from XDS server, but was rejected…': {
      layer: 'control-plane-xds',
      meaning: 'The proxy got a configuration and rejects it (NACK), so a new pod never becomes ready.',
      next: 'istiod’s log for "ACK ERROR" of this pod; EnvoyFilters',
      mistake: 'Older pods go on with their last good configuration, so only new ones look broken.',
    },
    '…gRPC config for … rejected: …': {
      aliases: ['delta config for … rejected: …'],
      layer: 'control-plane-xds',
      meaning: 'Envoy rejects a pushed configuration, with its reason.',
      next: 'What was changed at that time: EnvoyFilters first',
      mistake: 'The proxy goes on with the configuration before.',
    },
    '…gRPC config stream… closed…': {
      layer: 'control-plane-xds',
      meaning: 'The stream to istiod ended; the proxy reconnects and keeps its configuration.',
      next: 'How often? Every half hour is by design; with "connection error" istiod is not reachable',
      mistake: 'A single line is normal.',
    },
    'upstream terminated with unexpected error …': {
      aliases: ['failed to connect to upstream …'],
      layer: 'control-plane-xds',
      meaning: 'The agent lost istiod or cannot reach it.',
      next: 'kubectl get pods -n istio-system -l app=istiod; NetworkPolicies on port 15012',
      mistake: 'Running traffic goes on with the last configuration.',
    },
    'connected to upstream XDS server: …': {
      aliases: ['connected to delta upstream XDS server: …'],
      layer: 'control-plane-xds',
      meaning: 'The agent is connected to istiod.',
      next: 'Nothing; often repeated it means a broken stream',
      mistake: 'It does not mean that the configuration was accepted.',
    },
    'failed to warm certificate: …': {
      aliases: ['…failed to warm certificate…', '…failed to sign CSR…', 'create certificate: …'],
      layer: 'control-plane-ca',
      meaning: 'The proxy got no certificate from istiod’s CA.',
      next: 'istiod’s log for "Failed to authenticate client"; token mount of the pod; clock',
      mistake: 'The pod’s application is not the reason that it is not ready.',
    },
    '…failed to read token file…': {
      layer: 'control-plane-ca',
      meaning: 'The agent may not read its service account token (fsGroup).',
      next: 'securityContext of the pod',
      mistake: 'istiod is fine.',
    },
    '…x509: certificate signed by unknown authority…': {
      layer: 'control-plane',
      meaning: 'One side does not know the CA of the other: a webhook’s caBundle, or a remote istiod.',
      next: 'kubectl get mutatingwebhookconfigurations -o yaml (caBundle)',
      mistake: 'Workload certificates are another CA question.',
    },
    '…no endpoints available for service "istiod…': {
      layer: 'control-plane',
      meaning: 'istiod has no ready pod, so the API server cannot call its webhook: new pods are refused.',
      next: 'kubectl get pods -n istio-system -l app=istiod',
      mistake: 'Pods that already run are not affected.',
    },
    '…no ztunnel connection…': {
      layer: 'ambient-ztunnel',
      meaning: 'The node’s CNI agent has no ztunnel to hand the pod to, so the pod does not start.',
      next: 'kubectl get pods -n istio-system -l app=ztunnel -o wide',
      mistake: 'The pod’s own spec is fine.',
    },
    '…OOMKilled…': {
      layer: 'proxy-resource',
      meaning: 'A container used more memory than its limit.',
      next: 'Which container? kubectl describe pod <pod> -n <ns>',
      mistake: 'When it is istio-proxy the application looks broken to its callers.',
    },
  },
)

/** Bodies that Envoy writes itself. */
export const responseBodies = vocabulary(
  'response-body',
  { side: 'any-proxy' },
  {
    'no healthy upstream': {
      layer: 'kubernetes-endpoints',
      meaning: 'Body of a 503 UH: the proxy that answered knows no usable host.',
      next: 'istioctl proxy-config endpoints <pod>.<ns> --cluster "<cluster>" at the proxy that wrote it',
      mistake: 'It is not the body of an undefined subset; that one is empty (NC).',
    },
    'upstream connect error or disconnect/reset before headers…': {
      layer: 'network',
      meaning: 'Body of a proxy that got no response from the next hop. "reset reason" says how the attempt ended.',
      next: 'The access log of the proxy that wrote it: flag, details and transport failure',
      mistake: 'From Istio 1.30 the body no longer tells a TLS failure from a refused connection; the log does.',
    },
    'upstream request timeout': {
      layer: 'client-sidecar-routing',
      meaning: 'Body of a 504 UT: a route’s timeout passed.',
      next: 'istioctl proxy-config routes <pod>.<ns> -o json (timeout)',
      mistake: 'Not the caller’s own timeout.',
    },
    'fault filter abort': {
      layer: 'client-sidecar-routing',
      meaning: 'Body of an injected fault (FI).',
      next: 'kubectl get virtualservices -A -o yaml (fault)',
      mistake: 'No server failed.',
    },
    'upstream max stream duration reached': {
      layer: 'client-sidecar-routing',
      meaning: 'Body of a stream that was cut at its longest duration.',
      next: 'maxStreamDuration of the route',
      mistake: 'The stream may have been healthy.',
    },
    'envoy overloaded': {
      layer: 'proxy-resource',
      meaning: 'Body of a proxy that sheds load.',
      next: 'kubectl top pod <pod> -n <ns> --containers',
      mistake: 'Not the application.',
    },
    'stream timeout': {
      layer: 'proxy-limit',
      meaning: 'Body of an idle stream that the proxy ended.',
      next: 'streamIdleTimeout of the listener',
      mistake: 'Not the route’s timeout.',
    },
    'DNS resolution failure': {
      layer: 'dns',
      meaning: 'Body of a proxy that could not resolve the host (DF).',
      next: 'Resolve the name from the pod',
      mistake: 'No connection was tried.',
    },
  },
)
