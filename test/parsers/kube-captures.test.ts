import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import apiResources from '../../parsers/api-resources.ts'
import events from '../../parsers/events.ts'
import kubeList from '../../parsers/kube-list.ts'
import kubeVersion from '../../parsers/kube-version.ts'
import { captures, hasShared, meshesFolder, readJson, readMaybeGzipped } from '../helpers/shared.ts'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

describe.skipIf(!hasShared)('what kubectl printed in the captures', () => {
  test.each(captures)('%s: every object is read, without managedFields', (capture) => {
    const folder = join(meshesFolder, capture, 'objects')
    for (const file of readdirSync(folder)) {
      const path = join(folder, file.replace(/\.gz$/, ''))
      const text = readMaybeGzipped(path)
      const { items, errors } = kubeList.parse(text)
      expect(errors).toEqual([])
      expect(items.map(({ metadata }) => metadata.name)).toEqual(
        readJson(path).items.map((item: any) => item.metadata.name),
      )
      expect(kubeList.schema.safeParse({ items, errors }).success).toBe(true)
      expect(
        items.filter(({ metadata }) => 'managedFields' in metadata || lastApplied in (metadata.annotations ?? {})),
      ).toEqual([])
      if (file.startsWith('events.')) expect(events.parse(text)).toHaveLength(items.length)
    }
  })

  test.each(captures)('%s: the versions of both sides are read', (capture) => {
    const path = join(meshesFolder, capture, 'kubectl/version.json')
    if (!existsSync(path)) return
    expect(kubeVersion.parse(readMaybeGzipped(path)).server?.version).toBe(
      readJson(join(meshesFolder, capture, 'mesh.json')).kubernetesVersion,
    )
  })
})

describe('kubectl texts that no capture holds', () => {
  const pod = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, managedFields: [{ manager: 'x' }] },
  })

  test('a typed list names the kind once, its items take it over', () => {
    const text = JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [{ metadata: { name: 'web-1' } }] })
    expect(kubeList.parse(text).items).toEqual([{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web-1' } }])
  })

  test('several documents in a row are one list', () => {
    const text = `${JSON.stringify(pod('a'))}\n${JSON.stringify(pod('b'))}\n`
    expect(kubeList.parse(text).items.map(({ metadata }) => metadata)).toEqual([{ name: 'a' }, { name: 'b' }])
  })

  test('an output cut anywhere gives whole items and says that it was cut, or is refused', () => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod('a"}]{'), pod('b')] }, null, 1)
    for (let end = 1; end < text.length - 1; end++) {
      let list: ReturnType<typeof kubeList.parse> | undefined
      try {
        list = kubeList.parse(text.slice(0, end))
      } catch (error) {
        expect((error as Error).name).toBe('ParseError')
      }
      if (!list) continue
      expect(list.errors).not.toEqual([])
      expect(['a"}]{', 'b'].slice(0, list.items.length)).toEqual(list.items.map(({ metadata }) => metadata.name))
    }
  })

  test('an item without a name is reported, not dropped in silence', () => {
    const text = JSON.stringify({ kind: 'List', items: [pod('a'), { kind: 'Pod' }, null] })
    const { items, errors } = kubeList.parse(text)
    expect(items).toHaveLength(1)
    expect(errors).toHaveLength(2)
  })

  test('events of the newer group carry the same facts', () => {
    const event = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'web-1.17', namespace: 'shop', creationTimestamp: '2026-11-21T05:00:00Z' },
      eventTime: '2026-11-21T05:00:00.123456Z',
      regarding: { kind: 'Pod', namespace: 'shop', name: 'web-1' },
      reason: 'BackOff',
      note: 'Back-off restarting failed container',
      type: 'Warning',
      reportingController: 'kubelet',
      series: { count: 7, lastObservedTime: '2026-11-21T05:03:00.000000Z' },
    }
    expect(events.parse(JSON.stringify({ kind: 'List', items: [event] }))).toEqual([
      {
        type: 'Warning',
        reason: 'BackOff',
        message: 'Back-off restarting failed container',
        object: { kind: 'Pod', namespace: 'shop', name: 'web-1' },
        count: 7,
        firstSeen: '2026-11-21T05:00:00.123456Z',
        lastSeen: '2026-11-21T05:03:00.000000Z',
        reporter: 'kubelet',
      },
    ])
  })

  test('api-resources of kubectl 1.34 come as JSON', () => {
    const resources = [
      {
        name: 'virtualservices',
        group: 'networking.istio.io',
        version: 'v1',
        kind: 'VirtualService',
        namespaced: true,
      },
    ]
    expect(apiResources.parse(JSON.stringify({ kind: 'APIResourceList', groupVersion: '', resources }))).toEqual([
      { ...resources[0], shortNames: [], verbs: [] },
    ])
  })
})
