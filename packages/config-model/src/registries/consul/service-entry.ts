import type { Diagnostic } from '@heddle/runtime'
import { decodeResource } from '../../decode/resource.js'
import type { AnyResource } from '../../kinds/index.js'

/** One element of `/v1/health/service/:service`, as far as it is read. */
export interface ConsulInstance {
  readonly Node?: { readonly Address?: string; readonly Datacenter?: string; readonly Meta?: Readonly<Record<string, string>> }
  readonly Service?: {
    /** '': the node's. */
    readonly Address?: string
    readonly Port?: number
    readonly Meta?: Readonly<Record<string, string>> | null
    readonly Tags?: readonly string[] | null
    readonly Weights?: { readonly Passing?: number }
  }
}

interface Naming {
  readonly namespace?: string
  readonly hostOf?: (service: string) => string
}

/**
 * The ServiceEntry of a service; undefined without instances. The port is the first instance's, its protocol meta `protocol` (default tcp); meta of an
 * instance become labels where they may, `region` and `zone` of the node its locality.
 */
export function toServiceEntry(
  service: string,
  instances: readonly ConsulInstance[],
  { namespace = 'consul', hostOf = (name) => `${name}.service.consul` }: Naming,
): { entry: AnyResource | undefined; problems: readonly Diagnostic[] } {
  const [first] = instances
  if (first === undefined) return { entry: undefined, problems: [] }
  const protocol = (first.Service?.Meta?.['protocol'] ?? 'tcp').toUpperCase()
  const name = protocol.toLowerCase()
  const result = decodeResource({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: `consul-${service.toLowerCase().replace(/[^a-z0-9.-]/g, '-')}`, namespace },
    spec: {
      hosts: [hostOf(service)],
      location: 'MESH_INTERNAL',
      resolution: 'STATIC',
      ports: [{ number: first.Service?.Port ?? 0, name, protocol }],
      endpoints: instances.map((instance) => endpointOf(instance, name)),
    },
  })
  if (!result.ok || !result.value.known) return { entry: undefined, problems: result.diagnostics }
  return { entry: result.value.resource, problems: [] }
}

function endpointOf({ Node: node, Service: own }: ConsulInstance, port: string): object {
  const labels = Object.entries(own?.Meta ?? {}).filter(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(value))
  const locality = [node?.Meta?.['region'] ?? node?.Datacenter, node?.Meta?.['zone']].filter((part) => part !== undefined)
  return {
    address: own?.Address || node?.Address || '',
    ports: { [port]: own?.Port ?? 0 },
    labels: Object.fromEntries(labels),
    locality: locality.join('/'),
    weight: own?.Weights?.Passing ?? 1,
  }
}

const LABEL_KEY = /^[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?$/
