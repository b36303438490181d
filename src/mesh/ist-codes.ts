import { objectCodes } from './ist-codes-objects.ts'
import { platformCodes } from './ist-codes-platform.ts'
import { trafficCodes } from './ist-codes-traffic.ts'
import { type VocabularyEntry, vocabulary, type Wording } from './vocabulary-entry.ts'

export interface IstWording extends Wording {
  readonly name: string
  readonly level: 'Error' | 'Warning' | 'Info'
  readonly removedIn?: string
}

export interface IstCode extends VocabularyEntry, Pick<IstWording, 'name' | 'level' | 'removedIn'> {}

const wordings: Readonly<Record<string, IstWording>> = { ...trafficCodes, ...platformCodes, ...objectCodes }

/** What `istioctl analyze` and `istioctl x precheck` of 1.20 and later can say, by code. */
export const istCodes: readonly IstCode[] = vocabulary('ist-code', { side: 'istioctl' }, wordings)
  .map((entry) => {
    const { name, level } = wordings[entry.term]!
    return {
      ...entry,
      name,
      level,
      aliases: [name],
      doc: `https://istio.io/latest/docs/reference/config/analysis/${entry.term.toLowerCase()}/`,
    }
  })
  .sort((a, b) => (a.term < b.term ? -1 : 1))

const byCode: ReadonlyMap<string, IstCode> = new Map(istCodes.map((code) => [code.term, code]))

export function istCode(code: string): IstCode | undefined {
  return byCode.get(code.toUpperCase())
}

/** IST0101 covers very different things: the word after "Referenced" decides which layer it is about. */
export function referenceLayer(referenceType: string): VocabularyEntry['layer'] {
  if (/^(mirror )?host$|^host:port$/.test(referenceType)) return 'client-sidecar-routing'
  if (/subset/.test(referenceType)) return 'client-sidecar-cluster'
  if (referenceType === 'gateway') return 'gateway-routing'
  if (referenceType === 'credentialName') return 'gateway-tls'
  if (referenceType === 'selector') return 'gateway-edge'
  return 'control-plane'
}
