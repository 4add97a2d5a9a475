import type { PodSpec } from '../../kinds/kubernetes/pod.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'
import { annotationDefinition, isIstioAnnotation } from './annotation-table.js'
import { annotationProblem } from './annotation-values.js'

const KINDS = ['Namespace', 'Service', 'Pod', 'Deployment'] as const
const INJECT = 'sidecar.istio.io/inject'

/** Istio's annotations on Kubernetes objects: known, in the right place, with a value that means something. */
export const annotations: Analyzer = {
  name: 'annotations.K8sAnalyzer',
  summary: 'annotations of Istio that are unknown, deprecated, misplaced or have a wrong value',
  messages: ['UnknownAnnotation', 'DeprecatedAnnotation', 'MisplacedAnnotation', 'InvalidAnnotation'],
  analyze(context, report) {
    for (const kind of KINDS) {
      for (const object of context.of(kind) as readonly ConfigObject[]) {
        for (const [name, value] of Object.entries(object.metadata.annotations)) {
          if (!isIstioAnnotation(name)) continue
          const path = `metadata.annotations[${JSON.stringify(name)}]`
          const definition = annotationDefinition(name)
          if (definition === undefined) {
            report('UnknownAnnotation', object, path, name)
            continue
          }
          // Who has the label, too, knows.
          if (definition.deprecated && !(name === INJECT && object.metadata.labels[INJECT] !== undefined))
            report('DeprecatedAnnotation', object, path, name, name === INJECT ? ` in favor of the "${INJECT}" label` : '')
          if (definition.on.includes('Any')) continue
          const problem = annotationProblem(name, value)
          if (!definition.on.includes(kind)) report('MisplacedAnnotation', object, path, name, definition.on.join(', '))
          else if (problem !== undefined) report('InvalidAnnotation', object, path, name, problem)
        }
      }
    }
  },
}

/** Not among those that run by default, as in Istio: there would be too many messages. */
export const alphaAnnotations: Analyzer = {
  name: 'annotations.AlphaAnalyzer',
  summary: 'annotations of alpha features',
  messages: ['AlphaAnnotation'],
  analyze(context, report) {
    for (const kind of KINDS) {
      for (const object of context.of(kind) as readonly ConfigObject[]) {
        const byCni = kind === 'Pod' && !hasInit(object.spec as PodSpec)
        for (const name of Object.keys(object.metadata.annotations)) {
          // The injector sets this one, and the others where the CNI plugin redirects.
          if (name === 'sidecar.istio.io/status' || (byCni && OF_CNI.has(name))) continue
          if (annotationDefinition(name)?.status !== 'alpha') continue
          report('AlphaAnnotation', object, `metadata.annotations[${JSON.stringify(name)}]`, name)
        }
      }
    }
  },
}

const OF_CNI: ReadonlySet<string> = new Set([
  'sidecar.istio.io/interceptionMode',
  'traffic.sidecar.istio.io/includeInboundPorts',
  'traffic.sidecar.istio.io/excludeInboundPorts',
  'traffic.sidecar.istio.io/includeOutboundIPRanges',
])

function hasInit({ initContainers = [] }: PodSpec): boolean {
  return initContainers.some(({ name }) => name === 'istio-init')
}
