import type { Fix } from '../../model/finding.ts'
import { fired, type Hit } from '../../model/finding.ts'
import { type KubeObject, objectName } from '../../model/kube.ts'
import type { Layer } from '../../model/layer.ts'
import { resourceFor, type Stored } from '../../situation/objects.ts'
import { quoteObject, type Situation } from '../../situation/situation.ts'
import { defineRule, type MeshRule } from '../define-rule.ts'
import { quoted } from '../lib/words.ts'

/** One place where an anti-pattern was found. */
export interface LintHit {
  readonly stored: Stored
  /** What is wrong with this very object, with its names and numbers. */
  readonly message: string
  /** The deciding part of the object. */
  readonly part?: unknown
  readonly fix: string
  readonly risk?: string
}

export interface LintSpec {
  readonly code: string
  readonly layer: Layer
  readonly severity: MeshRule['severity']
  readonly title: string
  readonly why: string
  readonly seeAlso?: readonly string[]
  readonly find: (situation: Situation) => readonly LintHit[]
}

/** An anti-pattern: true of an object, whatever call is looked at. It explains no symptom by itself. */
export function lintRule({ find, ...spec }: LintSpec): MeshRule {
  return defineRule({
    ...spec,
    explains: [],
    needs: [['server.config', 'client.config', 'gateway.config', 'mesh.config', 'mesh.namespaces']],
    check: (situation) => fired(...find(situation).map((found) => hitOf(found))),
  })
}

function hitOf({ stored, message, part, fix, risk }: LintHit): Hit {
  const { object } = stored
  const name = objectName(object)
  return {
    subject: name,
    title: `${name}: ${message}`,
    statement: message,
    certainty: 'proven',
    supporting: [quoteObject(stored, `what ${name} says`, part ?? object.spec ?? object.metadata.labels)],
    contradicting: [],
    fix: fixOf(object, fix, risk),
    verify: { command: 'meshtriage lint', expect: `no finding about ${name}` },
    wouldDecide: null,
    about: 'aside',
  }
}

function fixOf(object: KubeObject, statement: string, risk = 'read what depends on the object first'): Fix {
  const { namespace, name } = object.metadata
  return {
    statement,
    commands: [`kubectl ${namespace ? `-n ${namespace} ` : ''}edit ${resourceFor(object.kind)} ${quoted(name)}`],
    scope: objectName(object),
    risk,
    undo: 'apply the object as it was before',
  }
}

/** Annotations by which people say why an object is as it is. Others can be named when linting. */
export const reasonAnnotation = 'meshtriage.io/reason'
const reasonAnnotations = [reasonAnnotation, 'description', 'kubernetes.io/description']

export function isDocumented({ object }: Stored): boolean {
  const annotations = object.metadata.annotations ?? {}
  return reasonAnnotations.some((key) => (annotations[key] ?? '').trim() !== '')
}

export function namespaceOf({ object }: Stored): string {
  return object.metadata.namespace ?? 'default'
}

const systemNamespaces = /^(?:kube-system|kube-public|kube-node-lease|local-path-storage)$/

export function isSystemNamespace(namespace: string): boolean {
  return systemNamespaces.test(namespace)
}
