import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { type AccessNeed, accessNeeds } from '../../src/report/rbac-needs.ts'
import { runCli } from '../helpers/cli.ts'
import { fixtureNames, readFixture } from '../helpers/session-fixtures.ts'
import { meshesFolder, readJson, sharedFolder } from '../helpers/shared.ts'

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly rules?: readonly {
    readonly apiGroups: readonly string[]
    readonly resources: readonly string[]
    readonly resourceNames?: readonly string[]
    readonly verbs: readonly string[]
  }[]
  readonly roleRef?: { readonly kind: string; readonly name: string }
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[]
}

async function manifests(...flags: string[]): Promise<Manifest[]> {
  const { code, stdout, stderr } = await runCli(['rbac', ...flags])
  expect([code, stderr]).toEqual([0, ''])
  return parseAllDocuments(stdout)
    .map((document) => {
      expect(document.errors).toEqual([])
      return document.toJS()
    })
    .filter((manifest) => manifest !== null)
}

/** What a command needs, worked out from the command alone: the other side of the table. */
function needed(file: string, args: readonly string[]): { verb: string; resource: string }[] {
  const words = args.filter(
    (arg, at) => !arg.startsWith('-') && !/^-(n|l|c|o)$|^--field-selector$/.test(args[at - 1] ?? ''),
  )
  const [verb = '', kinds = '', ...names] = words
  if (file === 'kubectl') {
    if (verb === 'get')
      return kinds.split(',').map((kind) => ({
        verb: names.length > 0 ? 'get' : 'list',
        resource: kind === 'configmap' ? 'configmaps' : kind,
      }))
    if (verb === 'logs') return [{ verb: 'get', resource: 'pods/log' }]
    if (verb === 'exec') return ['get pods', 'create pods/exec'].map(split)
    return []
  }
  if (verb === 'analyze')
    return [
      'get namespaces',
      'list pods',
      'list services',
      'list virtualservices.networking.istio.io',
      'list telemetries.telemetry.istio.io',
      'list wasmplugins.extensions.istio.io',
      'list authorizationpolicies.security.istio.io',
    ].map(split)
  if (verb === 'version')
    return args.includes('--remote=false') ? [] : ['list pods', 'create pods/portforward'].map(split)
  if (verb === 'proxy-status')
    return [
      'list pods',
      'create pods/portforward',
      'create serviceaccounts/token',
      'list mutatingwebhookconfigurations.admissionregistration.k8s.io',
      'watch mutatingwebhookconfigurations.admissionregistration.k8s.io',
    ].map(split)
  if (verb === 'proxy-config' || verb === 'ztunnel-config') return ['get pods', 'create pods/portforward'].map(split)
  throw new Error(`a walk ran something new: ${file} ${args.join(' ')}; say here what it needs`)
}

function split(text: string) {
  const [verb = '', resource = ''] = text.split(' ')
  return { verb, resource }
}

function covers({ group, resources, verbs }: AccessNeed, verb: string, resource: string): boolean {
  const [plural = '', ...rest] = resource.split('.')
  return verbs.includes(verb) && rest.join('.') === group && (resources.includes('*') || resources.includes(plural))
}

const asked = fixtureNames.flatMap((name) => readFixture(name).commands.flatMap(({ file, args }) => needed(file, args)))

describe('rbac', () => {
  test('grants whatever the recorded walks asked for', () => {
    expect(asked.length).toBeGreaterThan(100)
    const missing = asked.filter(({ verb, resource }) => !accessNeeds.some((need) => covers(need, verb, resource)))
    expect([...new Set(missing.map(({ verb, resource }) => `${verb} ${resource}`))]).toEqual([])
  })

  test('grants nothing that no recorded walk asked for', () => {
    const idle = accessNeeds.filter((need) => !asked.some(({ verb, resource }) => covers(need, verb, resource)))
    expect(idle.map(({ resources }) => resources.join())).toEqual([])
    const verbs = new Set(accessNeeds.flatMap((need) => need.verbs))
    expect([...verbs].filter((verb) => !/^(get|list|watch|create)$/.test(verb))).toEqual([])
    const creates = accessNeeds.filter((need) => need.verbs.includes('create')).flatMap(({ resources }) => resources)
    expect(creates.sort()).toEqual(['pods/exec', 'pods/portforward', 'serviceaccounts/token'])
  })

  test('--no-exec grants reading alone', async () => {
    const rules = (await manifests('--no-exec')).flatMap(({ rules = [] }) => rules)
    expect(rules.length).toBeGreaterThan(5)
    expect(rules.flatMap(({ verbs }) => verbs)).not.toContain('create')
  })

  test('--namespace prints Roles only, in those namespaces and where istiod and gateways are', async () => {
    const roles = await manifests('--namespace', 'shop,pay', '--gateway-namespace', 'edge')
    expect(new Set(roles.map(({ kind }) => kind))).toEqual(new Set(['Role']))
    expect(roles.map(({ metadata }) => metadata.namespace)).toEqual(['shop', 'pay', 'istio-system', 'edge'])
    // Secrets are read beside gateways and nowhere else, and a Role cannot list namespaces.
    for (const { metadata, rules = [] } of roles) {
      const secrets = rules.some(({ resources }) => resources.includes('secrets'))
      expect(secrets, metadata.namespace).toBe(metadata.namespace === 'edge')
      expect(rules.find(({ resources }) => resources.includes('namespaces'))?.verbs).toEqual(['get'])
    }
  })

  test('a subject is bound to every role', async () => {
    const all = await manifests('--serviceaccount', 'ops:triage')
    const roles = all.filter(({ rules }) => rules)
    const bindings = all.filter(({ roleRef }) => roleRef)
    expect(bindings.map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual(
      roles.map(({ kind, metadata }) => [`${kind}Binding`, metadata.namespace]),
    )
    expect(bindings[0]?.subjects).toEqual([{ kind: 'ServiceAccount', name: 'triage', namespace: 'ops' }])
  })

  test.each([
    ['--help', ['--help'], 0, /Examples:/, /^$/],
    ['a wrong flag', ['--nope'], 64, /^$/, /unknown option/],
    ['a name that is none', ['-n', 'Shop;rm'], 64, /^$/, /no name that Kubernetes knows/],
    ['two subjects', ['--user', 'a', '--group', 'b'], 64, /^$/, /exclude each other/],
  ])('%s', async (_name, flags, code, stdout, stderr) => {
    const result = await runCli(['rbac', ...flags])
    expect(result.code).toBe(code)
    expect(result.stdout).toMatch(stdout)
    expect(result.stderr).toMatch(stderr)
  })
})

const hasShared = existsSync(meshesFolder)

describe.skipIf(!hasShared)('a walk under exactly these rights (needs the captures)', () => {
  const state = mkdtempSync(join(tmpdir(), 'meshtriage-rbac-'))
  afterAll(() => rmSync(state, { recursive: true, force: true }))

  async function notChecked(mesh: string, argv: readonly string[], forbid: string): Promise<string[]> {
    const env = {
      PATH: `${join(sharedFolder, 'meshbed', 'bin')}:${process.env.PATH}`,
      HOME: state,
      MESHBED: join(meshesFolder, mesh),
      MESHBED_FORBID: forbid,
    }
    const { stdout, stderr } = await runCli(['diagnose', ...argv, '-o', 'json', '--no-save', '-q'], { env })
    const note = JSON.parse(stdout || `"${stderr}"`)
    const missing = note.evidence.filter((entry: any) => entry.status === 'missing').map((entry: any) => entry.reason)
    return [...missing, ...note.notChecked.map((entry: any) => entry.reason)].filter((reason: string) =>
      /forbidden|denied|cannot (get|list|create)/i.test(reason),
    )
  }

  const calls: readonly (readonly [string, readonly string[]])[] = [
    ['503-dr-disable-strict', ['503', '--from', 'deploy/web.shop', '--to', 'svc/ledger.pay:8080']],
    ['tls-credential-missing', ['tls', '--to', 'svc/web.shop:80', '--host', 'shop.example.com']],
    ['ambient-l4-deny', ['reset', '--from', 'pod/client.amb-demo', '--to', 'svc/server.amb-demo:80']],
  ]

  test.each(calls)(
    'finds nothing forbidden: %s',
    async (mesh, argv) => {
      const roles = await manifests()
      expect(await notChecked(mesh, argv, everythingBut(roles, mesh))).toEqual([])
    },
    120_000,
  )

  test('and one right less is missed', async () => {
    const [mesh, argv] = calls[0]!
    const roles = (await manifests()).map((role) => ({
      ...role,
      rules: (role.rules ?? []).filter(({ resources }) => !resources.includes('pods/log')),
    }))
    expect(await notChecked(mesh, argv, everythingBut(roles, mesh))).not.toEqual([])
  }, 120_000)
})

/** MESHBED_FORBID with all that the roles do not grant. */
function everythingBut(roles: readonly Manifest[], mesh: string): string {
  const folder = join(meshesFolder, mesh)
  const kinds = readJson(join(folder, 'api-resources.json')) as { name: string; group: string; verbs: string[] }[]
  const namespaces = (
    readJson(join(folder, 'objects', 'namespaces.json')) as { items: { metadata: { name: string } }[] }
  ).items.map(({ metadata }) => metadata.name)
  const questions = [
    ...kinds.flatMap(({ name, group, verbs }) => verbs.map((verb) => ({ verb, name, group }))),
    ...['pods/log', 'pods/exec', 'pods/portforward', 'pods/attach', 'serviceaccounts/token'].flatMap((name) =>
      ['get', 'create'].map((verb) => ({ verb, name, group: '' })),
    ),
  ]
  const grants = (role: Manifest, verb: string, name: string, group: string) =>
    (role.rules ?? []).some(
      (rule) =>
        rule.apiGroups.includes(group) &&
        rule.verbs.includes(verb) &&
        (rule.resources.includes(name) || (rule.resources.includes('*') && !name.includes('/'))),
    )
  return questions
    .flatMap(({ verb, name, group }) => {
      const granting = roles.filter((role) => grants(role, verb, name, group))
      if (granting.some(({ kind }) => kind === 'ClusterRole')) return []
      const [plural = '', subresource] = name.split('/')
      const resource = `${group === '' ? plural : `${plural}.${group}`}${subresource ? `/${subresource}` : ''}`
      if (granting.length === 0) return [`${verb}@${resource}`]
      const open = new Set(granting.map(({ metadata }) => metadata.namespace))
      return namespaces
        .filter((namespace) => !open.has(namespace))
        .map((namespace) => `${verb}@${namespace}:${resource}`)
    })
    .join(',')
}
