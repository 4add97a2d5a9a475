import { type Diagnostic, fail, ok, type Result } from '@heddle/runtime'
import { dump } from 'js-yaml'
import type { KubernetesObject } from '../kubernetes.js'
import { splitDocuments } from '../manifests.js'
import { loadYaml } from '../yaml.js'
import { type GatewayDeployment, type RenderGatewayOptions, renderGateway } from './render-gateway.js'

export interface RenderedGateways {
  /** What is deployed for all Gateways of the stream. */
  readonly yaml: string
  readonly gateways: readonly (GatewayDeployment & {
    /** `Gateway shop/door` */
    readonly subject: string
  })[]
}

export interface RenderGatewayManifestOptions extends Omit<RenderGatewayOptions, 'among'> {
  /** For messages. */
  readonly file?: string
}

/**
 * {@link renderGateway} for each Gateway of a stream of YAML documents; GatewayClasses, ListenerSets, ConfigMaps and Namespaces are looked up
 * in the stream. Other documents are passed over. If one Gateway is wrong, nothing is rendered and the diagnostics name all that are.
 */
export function renderGatewayManifest(yaml: string, options: RenderGatewayManifestOptions = {}): Result<RenderedGateways> {
  const found: Diagnostic[] = []
  const located = (diagnostics: readonly Diagnostic[], line: number): void => {
    const { file } = options
    const at = (inner = 1): object => (file === undefined ? {} : { origin: { file, line: line + inner - 1 } })
    found.push(...diagnostics.map((diagnostic) => ({ ...diagnostic, ...at(diagnostic.origin?.line) })))
  }
  const documents = splitDocuments(yaml).flatMap(({ text, line }) => {
    const loaded = loadYaml(text)
    if (!loaded.ok) located(loaded.diagnostics, line)
    return loaded.ok ? objectsIn(loaded.value).map((object) => ({ object, line })) : []
  })
  const among = documents.map(({ object }) => object)
  const gateways = documents.filter(({ object }) => isGateway(object))
  const rendered = gateways.map(({ object, line }) => {
    const result = renderGateway(object, { ...options, among })
    located(result.diagnostics, line)
    return { subject: subjectOf(object), ...(result.ok ? result.value : { objects: [] }) }
  })
  if (found.some(({ severity }) => severity === 'error')) return fail(...found)
  const written = rendered.flatMap(({ objects }) =>
    objects.map((object) => `---\n${dump(object, { lineWidth: -1, noRefs: true })}`),
  )
  return ok({ yaml: written.join(''), gateways: rendered }, found)
}

const isObject = (value: unknown): value is KubernetesObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function objectsIn(value: unknown): KubernetesObject[] {
  if (!isObject(value)) return []
  const items = value.kind === 'List' ? value['items'] : [value]
  return Array.isArray(items) ? items.filter(isObject) : []
}

function isGateway({ apiVersion, kind }: KubernetesObject): boolean {
  return kind === 'Gateway' && String(apiVersion).startsWith('gateway.networking.k8s.io/')
}

function subjectOf({ metadata }: KubernetesObject): string {
  return `Gateway ${metadata?.namespace ?? 'default'}/${metadata?.name ?? ''}`
}
