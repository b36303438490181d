import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openArchive } from '../../src/exec/archive.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped, sharedFolder } from '../helpers/shared.ts'

const never = new AbortController().signal
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'archives-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Entry {
  readonly name: string
  readonly text?: string
  readonly type?: string
  readonly link?: string
}

/** A tar as GNU tar would write it. */
function tar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ name, text = '', type = '0', link = '' }) => {
    const header = Buffer.alloc(512)
    const content = Buffer.from(text)
    header.write(name.slice(0, 100), 0)
    header.write('0000644\0', 100)
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('        ', 148)
    header.write(type, 156)
    header.write(link, 157)
    header.write('ustar\0', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

function archive(entries: readonly Entry[], name = 'bug-report.tar.gz'): string {
  const path = join(folder, name)
  writeFileSync(path, name.endsWith('gz') ? gzipSync(tar(entries)) : tar(entries))
  return path
}

async function ask(path: string, line: string, options = {}) {
  const opened = await openArchive(path, { tempFolder: join(folder, 'temp'), ...options })
  const [file, ...args] = line.split(' ')
  const result = await opened.run({ file: file as 'kubectl', args, timeoutMs: 1000 }, never)
  await opened.close()
  return result
}

const item = (apiVersion: string, kind: string, name: string, namespace?: string, more = '') =>
  `- apiVersion: ${apiVersion}\n  kind: ${kind}\n  metadata:\n    labels:\n      app: ${name}\n    name: ${name}\n${namespace ? `    namespace: ${namespace}\n` : ''}${more}`
const list = (...items: string[]) =>
  items.length > 0
    ? `apiVersion: v1\nitems:\n${items.join('')}kind: List\nmetadata:\n  resourceVersion: ""\n`
    : 'apiVersion: v1\nitems: []\nkind: List\n'
const crd = (plural: string, kind: string, group: string) =>
  item(
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
    `${plural}.${group}`,
    undefined,
    `  spec:\n    group: ${group}\n    names:\n      kind: ${kind}\n      plural: ${plural}\n    scope: Namespaced\n`,
  )
const definitions = [
  crd('virtualservices', 'VirtualService', 'networking.istio.io'),
  crd('authorizationpolicies', 'AuthorizationPolicy', 'security.istio.io'),
]
const report = (root = 'bug-report/'): Entry[] => [
  {
    name: `${root}cluster/k8s-resources`,
    text: list(
      item('v1', 'Namespace', 'shop'),
      item('v1', 'Namespace', 'pay'),
      item('v1', 'Pod', 'web-1', 'shop', '  status:\n    podIP: 10.1.2.3\n'),
      item('v1', 'ConfigMap', 'root', 'pay'),
      ...definitions,
    ),
  },
  { name: `${root}cluster/crs`, text: list(item('networking.istio.io/v1', 'VirtualService', 'web', 'shop')) },
  {
    name: `${root}proxies/shop/web-1/clusters`,
    text: 'outbound|80||a.pay.svc.cluster.local::added_via_api::true\noutbound|80||a.pay.svc.cluster.local::10.1.2.4:8080::health_flags::/failed_outlier_check\noutbound|80||a.pay.svc.cluster.local::10.1.2.4:8080::weight::1\n',
  },
  { name: `${root}proxies/shop/web-1/istio-proxy.log`, text: 'one\ntwo\nthree\n' },
  {
    name: `${root}istio/istio-system/istiod-1/debug/syncz`,
    text: JSON.stringify([
      {
        proxy: 'web-1.shop',
        cluster_id: 'Kubernetes',
        istio_version: '1.30.3',
        cluster_sent: 'a',
        cluster_acked: 'a',
        listener_sent: 'b',
        listener_acked: 'a',
      },
    ]),
  },
]

describe('a report, in every shape it is handed on', () => {
  test.each([
    ['gzipped', 'x.tar.gz', 'bug-report/'],
    ['as plain tar', 'x.tar', 'bug-report/'],
    ['made with --dir', 'x.tgz', ''],
    ['packed again below another folder', 'x.tar.gz', 'incident-7/./bug-report/'],
  ])('%s', async (_, name, root) => {
    const path = archive(report(root.replace('./', '')), name.replace('.tgz', '.gz'))
    expect(JSON.parse((await ask(path, 'kubectl get pods -n shop -o json')).stdout).items).toMatchObject([
      { kind: 'Pod', metadata: { name: 'web-1' }, status: { podIP: '10.1.2.3' } },
    ])
  })

  test('unpacked, also where `?` is no character for a file’s name', async () => {
    for (const { name, text } of [
      ...report(),
      { name: 'bug-report/proxies/shop/web-1/config_dump_include_eds', text: '{"configs":[]}' },
    ]) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), text ?? '')
    }
    expect((await ask(folder, 'kubectl logs web-1 -n shop -c istio-proxy --tail=2')).stdout).toBe('two\nthree\n')
    expect(
      (await ask(folder, 'kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET config_dump')).stdout,
    ).toBe('{"configs":[]}\n')
  })

  test('nothing is left behind when it is closed', async () => {
    await ask(archive(report()), 'kubectl get pods -n shop -o json')
    expect(readdirSync(join(folder, 'temp'))).toEqual([])
  })
})

describe('absence is an answer only where somebody looked', () => {
  test.each<[string, number | 'not-recorded', string?]>([
    ['kubectl get pods -n pay -o json', 0, '"items": []'],
    ['kubectl get authorizationpolicies.security.istio.io -n shop -o json', 0, '"items": []'],
    ['kubectl get networkpolicies -n shop -o json', 'not-recorded'],
    ['kubectl get pods -n elsewhere -o json', 'not-recorded'],
    ['kubectl get pod web-2 -n shop -o json', 1],
    ['kubectl get pod web-2 -n elsewhere -o json', 'not-recorded'],
    ['kubectl get secrets -n shop -o name', 'not-recorded'],
    ['kubectl get peerauthentications.security.istio.io -n shop -o json', 1],
    ['kubectl get pods -n shop', 'not-recorded'],
    ['kubectl get pods -n shop -o yaml', 'not-recorded'],
    ['kubectl logs web-1 -n shop -c app', 'not-recorded'],
    ['kubectl logs web-1 -n shop -c istio-proxy -p', 'not-recorded'],
    ['kubectl auth can-i get pods', 'not-recorded'],
    ['kubectl delete pod web-1', 'not-recorded'],
    ['istioctl proxy-config cluster web-1.shop -o json', 'not-recorded'],
    ['istioctl proxy-config endpoint web-2.shop -o json', 'not-recorded'],
    ['istioctl analyze -n shop -o json', 'not-recorded'],
    ['istioctl x describe pod web-1.shop', 'not-recorded'],
    ['kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET stats', 'not-recorded'],
  ])('%s', async (line, expected, text) => {
    const { exit, stdout } = await ask(archive(report()), line)
    expect(exit).toEqual(expected === 'not-recorded' ? { kind: expected } : { kind: 'exited', code: expected })
    if (text) expect(stdout).toContain(text)
  })

  test('a report on one namespace says nothing about the others', async () => {
    const path = archive([
      { name: 'bug-report/cluster/k8s-resources', text: list(item('v1', 'Pod', 'web-1', 'shop')) },
      {
        name: 'bug-report/cluster/k8s-cluster-resources',
        text: list(item('v1', 'Namespace', 'shop'), item('v1', 'Namespace', 'pay'), ...definitions),
      },
      { name: 'bug-report/cluster/crs', text: list() },
    ])
    expect((await ask(path, 'kubectl get virtualservices -n pay -o json')).exit).toEqual({ kind: 'not-recorded' })
    expect((await ask(path, 'kubectl get virtualservices -A -o json')).exit).toEqual({ kind: 'not-recorded' })
    const pods = await ask(path, 'kubectl get pods -A -o json')
    expect(pods.exit).toEqual({ kind: 'exited', code: 1 })
    expect(pods.stderr).toContain(
      'not in this archive: cannot list resource "pods" in API group "" at the cluster scope',
    )
  })

  test('of several kinds, what is there and what was not looked at are told apart', async () => {
    const { exit, stdout, stderr } = await ask(
      archive(report()),
      'kubectl get pods,networkpolicies.networking.k8s.io -n shop -o json',
    )
    expect(exit).toEqual({ kind: 'exited', code: 1 })
    expect(JSON.parse(stdout).items).toHaveLength(1)
    expect(stderr).toContain(
      'cannot list resource "networkpolicies" in API group "networking.k8s.io" in the namespace "shop"',
    )
  })
})

test.each([
  ['-l app=web-1', 1],
  ['-l app!=web-1', 0],
  ['-l app', 1],
  ['-l !app', 0],
  ['-l app==web-1,app!=x', 1],
  ['--field-selector status.podIP=10.1.2.3', 1],
  ['--field-selector status.podIP=10.9.9.9', 0],
  ['--field-selector metadata.name=web-1,status.podIP!=1.1.1.1', 1],
])('pods selected with %s', async (selection, count) => {
  const { stdout } = await ask(archive(report()), `kubectl get pods -A -o json ${selection}`)
  expect(JSON.parse(stdout).items).toHaveLength(count)
})

test('hosts and their health come from the text that Envoy prints', async () => {
  const path = archive(report())
  const { stdout } = await ask(path, 'istioctl proxy-config endpoint web-1.shop -o json')
  expect(JSON.parse(stdout)).toMatchObject([
    {
      name: 'outbound|80||a.pay.svc.cluster.local',
      hostStatuses: [
        {
          address: { socketAddress: { address: '10.1.2.4', portValue: 8080 } },
          healthStatus: { failedOutlierCheck: true },
        },
      ],
    },
  ])
  expect(JSON.parse((await ask(path, 'istioctl pc ep web-1.shop --port 9 -o json')).stdout)).toEqual([])
})

test('sync states come from istiod’s own table, in the layout that is asked for', async () => {
  const path = archive(report())
  expect((await ask(path, 'istioctl proxy-status')).stdout).toMatch(
    /^NAME +CLUSTER +CDS +LDS +EDS +RDS +ECDS +ISTIOD +VERSION\nweb-1\.shop +Kubernetes +SYNCED +STALE +NOT SENT/,
  )
  const document = JSON.parse((await ask(path, 'istioctl proxy-status -o json')).stdout)
  expect(document.resources[0]).toMatchObject({ node: { id: 'web-1.shop' } })
  expect(document.resources[0].genericXdsConfigs.map((one: any) => one.configStatus)).toEqual([
    'SYNCED',
    'NOT_SENT',
    'STALE',
    'NOT_SENT',
    'NOT_SENT',
  ])
})

describe('archives that were damaged, or made to harm', () => {
  test('paths that lead out are passed over, and nothing is written where they point', async () => {
    const path = archive([
      { name: '../../evil', text: 'x' },
      { name: '/tmp/evil-absolute', text: 'x' },
      { name: 'bug-report/../../evil', text: 'x' },
      ...report(),
    ])
    expect((await ask(path, 'kubectl get pods -n shop -o json')).exit).toEqual({ kind: 'exited', code: 0 })
    expect(existsSync(join(folder, 'evil'))).toBe(false)
    expect(existsSync('/tmp/evil-absolute')).toBe(false)
  })

  test('links are not followed, in an archive or in a folder', async () => {
    const path = archive([
      { name: 'bug-report/proxies/shop/web-1/certs', type: '2', link: '/etc/hostname' },
      { name: 'bug-report/proxies/shop/web-1/memory', type: '1', link: '/etc/hostname' },
      ...report(),
    ])
    expect(
      (await ask(path, 'kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET certs')).exit,
    ).toEqual({ kind: 'not-recorded' })
    for (const { name, text } of report()) {
      mkdirSync(dirname(join(folder, 'open', name)), { recursive: true })
      writeFileSync(join(folder, 'open', name), text ?? '')
    }
    symlinkSync('/etc/hostname', join(folder, 'open/bug-report/proxies/shop/web-1/certs'))
    expect(
      (await ask(join(folder, 'open'), 'kubectl exec web-1 -n shop -c istio-proxy -- pilot-agent request GET certs'))
        .exit,
    ).toEqual({ kind: 'not-recorded' })
  })

  test('a small file that grows without end is refused', async () => {
    const path = archive([...report(), { name: 'bug-report/big', text: '\0'.repeat(30_000_000) }])
    await expect(ask(path, 'kubectl version', { limits: { bytes: 1_000_000 } })).rejects.toMatchObject({
      name: 'UserError',
      kind: 'input',
      message: expect.stringContaining('unpacks to more than'),
    })
    await expect(ask(path, 'kubectl version', { limits: { entries: 3 } })).rejects.toMatchObject({ kind: 'input' })
    expect(readdirSync(join(folder, 'temp'))).toEqual([])
  })

  test('one that was cut off is read as far as it goes, and says so', async () => {
    const noise = Array.from({ length: 4000 }, (_, at) => `${(at * 2654435761) % 4294967296}`).join('\n')
    const path = archive([...report(), { name: 'bug-report/proxies/shop/web-1/memory', text: noise }])
    truncateSync(path, readFileSync(path).length - 3000)
    const opened = await openArchive(path, { tempFolder: join(folder, 'temp') })
    expect(opened.describe().notes).toEqual([expect.stringContaining('cut off')])
    const result = await opened.run(
      { file: 'kubectl', args: ['get', 'pods', '-n', 'shop', '-o', 'json'], timeoutMs: 1 },
      never,
    )
    expect(result.exit).toEqual({ kind: 'exited', code: 0 })
    await opened.close()
  })

  test.each([
    ['text', 'not an archive at all, but long enough to be looked at'],
    ['nothing', ''],
    ['gzipped text', gzipSync('hello'.repeat(500))],
    ['half a gzip header', Buffer.from([0x1f, 0x8b])],
    ['zeros', Buffer.alloc(10_240)],
  ])('%s is no archive', async (_, content) => {
    const path = join(folder, 'x.tar.gz')
    writeFileSync(path, content)
    await expect(openArchive(path, { tempFolder: join(folder, 'temp') })).rejects.toMatchObject({
      name: 'UserError',
      kind: 'input',
    })
  })

  test('a folder without anything in it, and no folder at all', async () => {
    await expect(openArchive(folder)).rejects.toMatchObject({ kind: 'input' })
    await expect(openArchive(join(folder, 'nowhere'))).rejects.toMatchObject({
      kind: 'input',
      message: expect.stringContaining('cannot be found'),
    })
  })

  test('a damaged part costs its own answer only', async () => {
    const path = archive([
      ...report().filter(({ name }) => !name.endsWith('syncz')),
      { name: 'bug-report/istio/istio-system/istiod-1/debug/syncz', text: '[{"proxy":' },
    ])
    expect((await ask(path, 'istioctl proxy-status')).exit).toEqual({ kind: 'not-recorded' })
    expect((await ask(path, 'kubectl get pods -n shop -o json')).exit).toEqual({ kind: 'exited', code: 0 })
  })

  test('long names of both makers of tar', async () => {
    const long = `bug-report/proxies/shop/${'p'.repeat(120)}/certs`
    const pax = (text: string) => {
      const line = ` path=${text}\n`
      let length = line.length
      while (`${length}${line}`.length !== length) length = `${length}${line}`.length
      return `${length}${line}`
    }
    for (const extra of [
      { name: '././@LongLink', type: 'L', text: `${long}\0` },
      { name: 'PaxHeaders/x', type: 'x', text: pax(long) },
    ]) {
      const opened = await openArchive(archive([...report(), extra, { name: long.slice(0, 99), text: '{}' }]), {
        tempFolder: join(folder, 'temp'),
      })
      expect(opened.describe().proxies).toContain(`${'p'.repeat(120)}.shop`)
      await opened.close()
    }
  })
})

describe.skipIf(!hasShared)('reports by real istioctls', () => {
  const path = (version: string) => join(sharedFolder, 'archives', `bug-report-503-subset-undefined-${version}.tar.gz`)
  const pod = 'productpage-v1-6cd89895c6-sncb6'

  test('1.24: objects, proxies, logs, findings and versions', async () => {
    const answer = async (line: string) => {
      const { exit, stdout } = await ask(path('1.24'), line)
      expect(exit, line).toEqual({ kind: 'exited', code: 0 })
      return stdout
    }
    const pods = JSON.parse(await answer('kubectl get pods -n default -o json')).items
    expect(pods.map((one: any) => one.metadata.name)).toContain(pod)
    expect(
      JSON.parse(await answer('kubectl get virtualservices,destinationrules -n default -o json')).items.map(
        (one: any) => one.kind,
      ),
    ).toEqual(['VirtualService', 'DestinationRule'])
    expect(JSON.parse(await answer('kubectl get authorizationpolicies.security.istio.io -A -o json')).items).toEqual([])
    expect(await answer('kubectl get secrets -n istio-system -o name')).toBe('secret/istio-ca-secret\n')
    expect(await answer('kubectl api-resources -o name')).toContain('virtualservices.networking.istio.io\n')
    expect(await answer('kubectl config current-context')).toBe('dev\n')
    expect(JSON.parse(await answer('kubectl version -o json')).serverVersion).toMatchObject({
      gitVersion: 'v1.33.13',
      minor: '33',
    })
    expect(await answer(`kubectl logs ${pod} -n default -c istio-proxy`)).toContain('503 NC cluster_not_found')
    expect(JSON.parse(await answer(`istioctl proxy-config route ${pod}.default --name 9080 -o json`))[0].name).toBe(
      '9080',
    )
    expect(
      JSON.parse(
        await answer(`istioctl proxy-config cluster ${pod}.default --fqdn reviews.default.svc.cluster.local -o json`),
      ).length,
    ).toBeGreaterThan(0)
    expect(JSON.parse(await answer(`istioctl proxy-config endpoint ${pod}.default -o json`)).length).toBeGreaterThan(5)
    expect(JSON.parse(await answer('istioctl analyze -n default -o json'))).toMatchObject([
      { code: 'IST0101', level: 'Error', origin: 'VirtualService default/reviews-broken' },
    ])
    expect(JSON.parse(await answer('istioctl version -o json'))).toMatchObject({
      clientVersion: { version: '1.24.6' },
      meshVersion: [{ Info: { version: '1.30.3' } }],
    })
  })

  test('1.30 on several namespaces: its empty lists are not taken for empty namespaces', async () => {
    expect((await ask(path('1.30'), 'kubectl get virtualservices -n default -o json')).exit).toEqual({
      kind: 'not-recorded',
    })
    // What the proxies know of pods and services is not all there is, and the answer says so.
    const pods = await ask(path('1.30'), 'kubectl get pods -n default -o json')
    expect(pods).toMatchObject({
      exit: { kind: 'exited', code: 1 },
      stderr: expect.stringContaining('not in this archive'),
    })
    expect(JSON.parse(pods.stdout).items).toContainEqual(
      expect.objectContaining({ metadata: expect.objectContaining({ name: pod, namespace: 'default' }) }),
    )
    expect(
      JSON.parse((await ask(path('1.30'), 'kubectl get pods -n istio-system -o json')).stdout).items.length,
    ).toBeGreaterThan(0)
    expect(JSON.parse((await ask(path('1.30'), 'kubectl get namespaces default -o json')).stdout).kind).toBe(
      'Namespace',
    )
    expect((await ask(path('1.30'), `istioctl proxy-config listener ${pod}.default -o json`)).exit).toEqual({
      kind: 'exited',
      code: 0,
    })
  })

  test('every byte that can be cut off leaves an error or an answer', async () => {
    const whole = gunzipSync(readFileSync(path('1.30')))
    for (let part = 1; part <= 8; part++) {
      const cut = join(folder, `cut-${part}.tar`)
      writeFileSync(cut, whole.subarray(0, Math.floor((whole.length * part) / 8) - 100))
      const { exit } = await ask(cut, 'kubectl get pods -n istio-system -o json')
      expect(['exited', 'not-recorded']).toContain(exit.kind)
    }
  })
})

describe.skipIf(!hasShared)('a folder of what somebody saved', () => {
  // The body of a skipped block is still run, and without captures there is no first one.
  const capture = captures[0] ?? ''
  const source = join(meshesFolder, capture)

  test('objects, dumps and logs answer as the tools did', async () => {
    for (const part of ['objects', 'proxies', 'logs'])
      cpSync(join(source, part), join(folder, 'saved', part), { recursive: true })
    const version = Object.keys(readJson(join(source, 'mesh.json')).istioctl).at(-1)!
    const answers = readJson(join(source, 'istioctl', version, 'answers.json'))
    const opened = await openArchive(join(folder, 'saved'))
    const run = async (line: string) => {
      const [file, ...args] = line.split(' ')
      const { exit, stdout } = await opened.run({ file: file as 'kubectl', args, timeoutMs: 1 }, never)
      expect(exit, line).toEqual({ kind: 'exited', code: 0 })
      return stdout
    }
    expect(opened.describe().proxies.length).toBeGreaterThan(0)
    for (const proxy of opened.describe().proxies) {
      for (const kind of ['cluster', 'listener', 'route', 'secret']) {
        const stored = answers[`proxy-config ${kind} ${proxy} -o json`]
        if (!stored || stored.exit) continue
        const expected = JSON.parse(stored.stdout ?? readMaybeGzipped(join(source, 'istioctl', stored.file)))
        const mine = JSON.parse(await run(`istioctl proxy-config ${kind} ${proxy} -o json`))
        expect(sorted(mine), `${kind} ${proxy}`).toEqual(sorted(expected))
      }
    }
    const pods = readJson(join(source, 'objects/pods.json')).items
    const { name, namespace } = pods[0].metadata
    expect(JSON.parse(await run(`kubectl get pod ${name} -n ${namespace} -o json`))).toEqual(pods[0])
    expect(
      (await opened.run({ file: 'kubectl', args: ['get', 'pods', '-n', 'nowhere', '-o', 'json'], timeoutMs: 1 }, never))
        .exit,
    ).toEqual({ kind: 'not-recorded' })
  })
})

/** Elements in any order, those without a name as well. */
const sorted = (json: unknown) =>
  Array.isArray(json) ? json.map((one) => JSON.stringify(one, keysSorted)).sort() : json
const keysSorted = (_: string, value: any) =>
  value && typeof value === 'object' && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value
