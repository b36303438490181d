import type { MeshRule } from '../define-rule.ts'
import drMutualToNonmesh from './dr-mutual-to-nonmesh.ts'
import drTlsDisableVsStrict from './dr-tls-disable-vs-strict.ts'
import strictPlaintextClient from './strict-plaintext-client.ts'

export const transportRules: readonly MeshRule[] = [drMutualToNonmesh, drTlsDisableVsStrict, strictPlaintextClient]
