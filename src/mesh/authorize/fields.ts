import { isInBlock, parseIp, parseIpBlock } from './ip-blocks.ts'
import { claimPath, claimTexts, matchesClaim, matchesRequestPrincipal } from './jwt-claims.ts'
import { normalisePath } from './path-normalise.ts'
import { isPathTemplate, matchesPathTemplate } from './path-template.ts'
import { authority, type EvaluationContext, headerValues, missing, remoteAddress, sourceIdentity } from './request.ts'
import {
  expandTrustDomains,
  expandTrustDomainValue,
  type IdentityTest,
  matchesNamespace,
  matchesPrincipal,
  matchesServiceAccount,
  matchesTrustDomain,
} from './source-identity.ts'
import { matchesHeaderValue, matchesHost, matchesValue } from './string-match.ts'
import { no, type Outcome, unknown, yes } from './three-valued.ts'

/** How Envoy tests one field of a rule. */
export interface Field {
  /** Name as the policy spells it. */
  readonly name: string
  /** HTTP fields do not exist on TCP chains. */
  readonly httpOnly: boolean
  /** What istiod turns a value into before it is compared. */
  readonly expand?: (value: string, context: EvaluationContext) => readonly string[]
  /** Such a value makes istiod drop it, or in ALLOW the whole rule. */
  readonly isInvalid?: (value: string) => boolean
  readonly test: (value: string, context: EvaluationContext) => Outcome
}

function identityField(
  name: string,
  matches: (value: string, identity: string, context: EvaluationContext) => IdentityTest,
  expand?: Field['expand'],
): Field {
  return {
    name,
    httpOnly: false,
    ...(expand ? { expand } : {}),
    test(value, context) {
      const identity = sourceIdentity(context.request)
      if (identity === undefined) return unknown('the caller’s identity is not known', missing('sourcePrincipal'))
      if (identity === null) return no('the call has no identity (plaintext)')
      const fits = matches(value, identity, context)
      if (fits === null)
        return unknown(`"${value}" is read as a regular expression`, {
          attribute: `${name} "${value}"`,
          wouldSettle: 'the RBAC filter in the proxy’s configuration, and whether the proxy accepted it',
        })
      return fits ? yes(`caller is ${identity}`) : no(`caller is ${identity}`)
    },
  }
}

function ipField(name: string, attribute: string, read: (context: EvaluationContext) => string | undefined): Field {
  return {
    name,
    httpOnly: false,
    isInvalid: (value) => parseIpBlock(value) === null,
    test(value, context) {
      const text = read(context)
      if (text === undefined) return unknown(`the ${attribute} is not known`, missing(attribute))
      const [address, block] = [parseIp(text), parseIpBlock(value)]
      if (!address || !block) return unknown(`"${text}" is no address`, missing(attribute))
      return isInBlock(address, block) ? yes(`${attribute} is ${text}`) : no(`${attribute} is ${text}`)
    },
  }
}

function textField(
  name: string,
  attribute: string,
  httpOnly: boolean,
  read: (context: EvaluationContext) => string | null | undefined,
  matches: (value: string, actual: string) => boolean = matchesValue,
): Field {
  return {
    name,
    httpOnly,
    test(value, context) {
      const actual = read(context)
      if (actual === undefined) return unknown(`the ${attribute} is not known`, missing(attribute))
      if (actual === null) return no(`there is no ${attribute}`)
      return matches(value, actual) ? yes(`${attribute} is ${actual}`) : no(`${attribute} is "${actual}"`)
    },
  }
}

function portField(name: string): Field {
  return {
    name,
    httpOnly: false,
    isInvalid: (value) => !/^\d+$/.test(value) || Number(value) > 65535,
    test(value, { request }) {
      const port = request.destinationPort
      if (port === undefined) return unknown('the port at the proxy is not known', missing('destinationPort'))
      return Number(value) === port ? yes(`port is ${port}`) : no(`port is ${port}`)
    },
  }
}

function claimsField(name: string, path: readonly string[] | 'principal'): Field {
  return {
    name,
    httpOnly: true,
    test(value, { request }) {
      if (request.jwt === undefined) return unknown('it is not known whether a token was accepted', missing('jwt'))
      if (request.jwt === null) return no('no token was accepted')
      if (path === 'principal') {
        const has = `token is of ${String(request.jwt.iss ?? '-')}/${String(request.jwt.sub ?? '-')}`
        return matchesRequestPrincipal(value, request.jwt) ? yes(has) : no(has)
      }
      const texts = claimTexts(request.jwt, path)
      const has = texts.length > 0 ? `claim is ${texts.join(', ')}` : 'the token has no such text claim'
      return matchesClaim(value, texts) ? yes(has) : no(has)
    },
  }
}

function headerField(name: string, header: string): Field {
  return {
    name,
    httpOnly: true,
    test(value, { request, mesh }) {
      const values = headerValues(request, header, mesh.pathNormalization)
      if (values === undefined) return unknown(`header ${header} is not known`, missing('headers'))
      // Repeated headers are tested value by value.
      if (values.length === 0) return no(`there is no header ${header}`)
      const has = `header ${header} is "${values.join('", "')}"`
      return values.some((actual) => matchesHeaderValue(value, actual)) ? yes(has) : no(has)
    },
  }
}

const paths: Field = {
  name: 'paths',
  httpOnly: true,
  test(value, { request, mesh }) {
    if (request.path === undefined) return unknown('the path is not known', missing('path'))
    const normalised = normalisePath(request.path, mesh.pathNormalization)
    if (normalised.kind !== 'path') return unknown(normalised.because, missing('path'))
    const fits = isPathTemplate(value, mesh)
      ? matchesPathTemplate(value, normalised.path)
      : matchesValue(value, normalised.path)
    return fits ? yes(`path is ${normalised.path}`) : no(`path is ${normalised.path}`)
  },
}

const principals = identityField('principals', matchesPrincipal, (value, { mesh }) => expandTrustDomains(value, mesh))
const namespaces = identityField('namespaces', matchesNamespace)
const serviceAccounts = identityField('serviceAccounts', (value, identity, { policyNamespace }) =>
  matchesServiceAccount(value, identity, policyNamespace),
)
const trustDomains = identityField('trustDomains', matchesTrustDomain, (value, { mesh }) =>
  expandTrustDomainValue(value, mesh),
)
const ipBlocks = ipField('ipBlocks', 'sourceIp', ({ request }) => request.sourceIp)
const remoteIpBlocks = ipField('remoteIpBlocks', 'remoteIp', remoteAddress)
const method = textField('methods', 'method', true, ({ request }) => request.method, matchesHeaderValue)
const hosts = textField('hosts', 'host', true, ({ request }) => authority(request), matchesHost)

export const sourceFields: readonly Field[] = [
  principals,
  namespaces,
  serviceAccounts,
  trustDomains,
  ipBlocks,
  remoteIpBlocks,
  claimsField('requestPrincipals', 'principal'),
]

export const operationFields: readonly Field[] = [hosts, method, paths, portField('ports')]

/** `null`: istiod does not know the key and drops the rule. `'malformed'`: it knows it, and cannot read what is in the brackets. */
export function conditionField(key: string): Field | 'malformed' | null {
  const plain = plainConditions[key]
  if (plain) return { ...plain, name: key }
  const bracketed = (prefix: string) => key.slice(prefix.length)
  if (key.startsWith('request.headers')) {
    const inside = bracketed('request.headers')
    if (!inside.startsWith('[') || !inside.endsWith(']')) return 'malformed'
    return headerField(key, inside.slice(1, -1))
  }
  if (key.startsWith('request.auth.claims')) {
    const path = claimPath(bracketed('request.auth.claims'))
    return path ? claimsField(key, path) : 'malformed'
  }
  if (key.startsWith('experimental.envoy.filters.'))
    return {
      name: key,
      httpOnly: false,
      test: () => unknown('dynamic metadata is not visible', missing('dynamicMetadata')),
    }
  return null
}

const plainConditions: Readonly<Record<string, Field>> = Object.assign(Object.create(null), {
  'source.ip': ipBlocks,
  'remote.ip': remoteIpBlocks,
  'source.namespace': namespaces,
  'source.principal': principals,
  'source.serviceAccount': serviceAccounts,
  'source.trustDomain': trustDomains,
  'request.auth.principal': claimsField('request.auth.principal', 'principal'),
  'request.auth.audiences': claimsField('request.auth.audiences', ['aud']),
  'request.auth.presenter': claimsField('request.auth.presenter', ['azp']),
  'destination.ip': ipField(
    'destination.ip',
    'destinationIp',
    ({ request, workload }) =>
      request.destinationIp ?? (isSidecar(workload.proxy) ? (workload.ip ?? undefined) : undefined),
  ),
  'destination.port': portField('destination.port'),
  'connection.sni': textField('connection.sni', 'sni', false, ({ request }) => request.sni),
} satisfies Record<string, Field>)

function isSidecar(proxy: string): boolean {
  return proxy === 'sidecar' || proxy === 'native-sidecar'
}
