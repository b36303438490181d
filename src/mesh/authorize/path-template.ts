import { isAtLeast, type MeshConfig } from '../mesh-config.ts'

const segment = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=]+"
const rest = "[a-zA-Z0-9\\-._~%!$&'()+,;:@=/]*"

/** From Istio 1.22 on. Before, such a value is plain text. */
export function isPathTemplate(value: string, { istioVersion }: Pick<MeshConfig, 'istioVersion'>): boolean {
  return (value.includes('{*}') || value.includes('{**}')) && isAtLeast(istioVersion, 1, 22)
}

/** `{*}` is one segment that is not empty, `{**}` any rest, also an empty one. */
export function matchesPathTemplate(template: string, path: string): boolean {
  const pattern = template
    .split(/(\{\*\*?\})/)
    .map((part) => (part === '{*}' ? segment : part === '{**}' ? rest : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('')
  return new RegExp(`^${pattern}$`).test(path)
}
