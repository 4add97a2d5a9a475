import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type { ClusterLoadAssignment } from '@heddle/xds-types/envoy/config/endpoint/v3'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import type { Secret } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { InputError } from '../command.js'

/** What a config dump of Envoy, of our proxy or of a control plane holds. */
export interface Dump {
  readonly bootstrap: unknown
  readonly clusters: readonly Cluster[]
  readonly endpoints: readonly ClusterLoadAssignment[]
  readonly listeners: readonly Listener[]
  readonly routes: readonly RouteConfiguration[]
  readonly secrets: readonly DumpedSecret[]
  readonly ecds: readonly unknown[]
}

export interface DumpedSecret {
  readonly name: string
  /** `ACTIVE` or `WARMING`, istioctl's words. */
  readonly status: string
  readonly secret: Secret
}

type Json = Readonly<Record<string, unknown>>

export interface ReadOptions {
  /** Leave out what a bootstrap brings: what is left came from a control plane. */
  readonly dynamicOnly?: boolean
}

/** Reads what `/config_dump` of an admin page or `/debug/config_dump` of a control plane gave, live or saved. */
export function readConfigDump(text: string, from: string, { dynamicOnly = false }: ReadOptions = {}): Dump {
  let dump: unknown
  try {
    dump = JSON.parse(text)
  } catch (error) {
    throw new InputError(`${from} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  const configs = (dump as { configs?: unknown } | null)?.configs
  if (!Array.isArray(configs)) throw new InputError(`${from} is no config dump: it has no list "configs"`)
  const section = (type: string): Json =>
    (configs as Json[]).find((config) => String(config['@type'] ?? '').endsWith(`.${type}`)) ?? {}
  const of = <T>(type: string, fields: readonly string[], body: string): T[] =>
    fields
      .filter((field) => !(dynamicOnly && field.startsWith('static_')))
      .flatMap((field) => list(section(type)[field]).flatMap((entry) => present<T>(entry[body])))
  const activeListeners = list(section('ListenersConfigDump')['dynamic_listeners']).flatMap((entry) =>
    present<Listener>((entry['active_state'] as Json | undefined)?.['listener']),
  )
  return {
    bootstrap: section('BootstrapConfigDump')['bootstrap'],
    clusters: of('ClustersConfigDump', ['dynamic_active_clusters', 'static_clusters'], 'cluster'),
    endpoints: of('EndpointsConfigDump', ['dynamic_endpoint_configs', 'static_endpoint_configs'], 'endpoint_config'),
    listeners: [...activeListeners, ...of<Listener>('ListenersConfigDump', ['static_listeners'], 'listener')],
    routes: of('RoutesConfigDump', ['dynamic_route_configs', 'static_route_configs'], 'route_config'),
    secrets: [
      ...secrets(section('SecretsConfigDump')['dynamic_active_secrets'], 'ACTIVE'),
      ...secrets(section('SecretsConfigDump')['static_secrets'], 'ACTIVE'),
      ...secrets(section('SecretsConfigDump')['dynamic_warming_secrets'], 'WARMING'),
    ],
    ecds: of('EcdsConfigDump', ['ecds_filters'], 'ecds_filter'),
  }
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as Json[]) : []
}

function present<T>(value: unknown): T[] {
  return typeof value === 'object' && value !== null ? [value as T] : []
}

function secrets(value: unknown, status: string): DumpedSecret[] {
  return list(value).map((entry) => ({
    name: String(entry['name'] ?? ''),
    status,
    secret: (entry['secret'] ?? {}) as Secret,
  }))
}
