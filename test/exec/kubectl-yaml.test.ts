import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { readHead, readYaml, splitItems } from '../../src/exec/kubectl-yaml.ts'
import { captures, hasShared, meshesFolder, readJson } from '../helpers/shared.ts'

const cases: Record<string, string> = {
  'fields, numbers, switches and nothing':
    'a: 1\nb: "1"\nc: true\nd: null\ne:\nf: 1.5\ng: -3\nh: 10Gi\ni: 2026-01-02T03:04:05Z\n',
  'empty collections': 'a: {}\nb: []\nc:\n- {}\n- []\n',
  'a list under its key': 'a:\n- 1\n- b: 2\n  c: 3\n- d\nb: x\n',
  'a list in a list': 'a:\n- - 1\n  - 2\n- - 3\n',
  quotes: `a: 'it''s'\nb: "tab\\t\\u00e9 \\"x\\""\nc: '{"a":"b: c"}'\n'd e': 1\n"f:g": 2\n`,
  'colons in values': 'a: http://x:80/y\nb: a:b\nc: outbound|80||x\n',
  'keys with dots and slashes': 'kubectl.kubernetes.io/last-applied-configuration: x\napp.kubernetes.io/name: y\n',
  'a block': 'a: |\n  one\n    two\n\n  three\nb: 1\n',
  'a block without its last line break': 'a: |-\n  one\n  two\nb: 1\n',
  'a block that keeps its line breaks': 'a: |+\n  one\n\n\nb: 1\n',
  'a block that begins with blanks': 'a: |2-\n    x\n  y\nb: 1\n',
  'a block in a list': 'a:\n- |\n  x\n  y\n- z\n',
  'a folded block': 'a: >\n  one\n  two\n\n  three\nb: 1\n',
  'a plain text over several lines': 'a: one\n  two three\n  four\nb: 1\n',
  'a quoted text over several lines': `a: 'one\n  two\n\n  three'\nb: "one\n  two \\\n  three"\nc: 1\n`,
  'a long key': `? ${'k'.repeat(130)}\n: v\nb: 1\n`,
  'a list of blocks of fields': 'a:\n- name: x\n  value: |\n    {}\n- name: y\nb:\n- c:\n  - 1\n  d: 2\n',
  'empty strings': 'a: ""\nb:\n- ""\n- x\n',
  'Windows line ends': 'a: 1\r\nb:\r\n- x\r\n',
}

test.each(Object.entries(cases))('%s', (_, text) => {
  expect(readYaml(text)).toEqual(parse(text))
})

test('a list is cut into items that say what they are', () => {
  const text =
    'apiVersion: v1\nitems:\n- apiVersion: v1\n  data:\n    a: |\n      kind: Trap\n\n      - x\n  kind: ConfigMap\n  metadata:\n    annotations:\n      name: not-this\n    name: mesh\n    namespace: istio-system\n- apiVersion: apps/v1\n  kind: Deployment\n  metadata:\n    name: web\nkind: List\nmetadata:\n  resourceVersion: ""\n'
  const items = splitItems(text)
  expect(items.map(readHead)).toEqual([
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'mesh', namespace: 'istio-system' },
    { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: '' },
  ])
  expect(items.map(readYaml)).toEqual(parse(text).items)
  expect(splitItems('apiVersion: v1\nitems: []\nkind: List\n')).toEqual([])
})

test.skipIf(!hasShared)('objects of recorded meshes come back as they were', () => {
  for (const capture of captures.slice(0, 6)) {
    for (const kind of [
      'pods',
      'services',
      'configmaps',
      'deployments.apps',
      'mutatingwebhookconfigurations.admissionregistration.k8s.io',
    ]) {
      for (const item of readJson(join(meshesFolder, capture, `objects/${kind}.json`)).items) {
        for (const lineWidth of [0, 80])
          expect(readYaml(stringify(item, { lineWidth, indentSeq: false, blockQuote: 'literal' }))).toEqual(item)
      }
    }
  }
})

test.each(['a: b\n  c: d\n- x', '  x', 'a: "open', '- a\nb: c', '? x\ny', '\0', 'a:\n   b: 1\n  c: 2'])(
  'damaged text ends, with an error or not: %j',
  (text) => {
    try {
      readYaml(text)
    } catch (error) {
      expect(error).toMatchObject({ name: 'YamlError' })
    }
  },
)
