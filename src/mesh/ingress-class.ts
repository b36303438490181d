import type { KubeObject } from '../model/kube.ts'
import type { MeshConfig } from './mesh-config.ts'

const classAnnotation = 'kubernetes.io/ingress.class'
const istioController = 'istio.io/ingress-controller'

/** Whether istiod makes routes of an Ingress. `null`: the class it names was not read. */
export interface IngressService {
  readonly served: boolean | null
  /** In words, for a sentence after "because". */
  readonly why: string
}

/**
 * The annotation wins over `spec.ingressClassName`; the named class counts by its controller, not by its name. A class that
 * does not exist is none.
 */
export function servedByIstio(
  ingress: KubeObject,
  classes: readonly KubeObject[] | null,
  { mode, className }: MeshConfig['ingress'],
): IngressService {
  if (mode === 'OFF') return { served: false, why: 'istiod serves no Ingress at all (ingressControllerMode OFF)' }
  const annotated = ingress.metadata.annotations?.[classAnnotation]
  if (annotated !== undefined)
    return {
      served: annotated === className,
      why: `its annotation ${classAnnotation} says ${annotated}, and istiod serves ${className}`,
    }
  const named: unknown = ingress.spec?.ingressClassName
  if (typeof named === 'string' && named !== '') {
    if (classes === null) return { served: null, why: `the controller of class ${named} could not be read` }
    const found = classes.find(({ metadata }) => metadata.name === named)
    if (found) {
      const controller = String(found.spec?.controller ?? 'none')
      return { served: controller === istioController, why: `class ${named} belongs to controller ${controller}` }
    }
    return { served: mode === 'DEFAULT', why: `there is no IngressClass ${named}` }
  }
  return {
    served: mode === 'DEFAULT',
    why: `it names no class, and istiod serves only those of class ${className} (ingressControllerMode ${mode})`,
  }
}
