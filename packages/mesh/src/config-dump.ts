import { configDump, type DumpedResource, type XdsServer } from '@heddle/xds-server'

type Json = Readonly<Record<string, unknown>>

const ADMIN = 'type.googleapis.com/envoy.admin.v3.'

/**
 * What a node was sent, in the shape of Envoy's `/config_dump`, as istiod's `/debug/config_dump` answers; secrets are redacted. Undefined: the node
 * is not connected. With several streams the newest counts.
 */
export function envoyConfigDump(xds: XdsServer, nodeId: string): { readonly configs: readonly Json[] } | undefined {
  const dump = configDump(xds, nodeId).at(-1)
  if (dump === undefined) return undefined
  const of = (type: string, wrap: (resource: DumpedResource) => Json): Json[] => (dump.types[type] ?? []).map(wrap)
  const under =
    (field: string) =>
    ({ version, resource }: DumpedResource): Json => ({ version_info: version, [field]: resource })
  return {
    configs: [
      { '@type': `${ADMIN}ClustersConfigDump`, dynamic_active_clusters: of('cds', under('cluster')) },
      { '@type': `${ADMIN}EndpointsConfigDump`, dynamic_endpoint_configs: of('eds', under('endpoint_config')) },
      {
        '@type': `${ADMIN}ListenersConfigDump`,
        dynamic_listeners: of('lds', (listener) => ({ name: listener.name, active_state: under('listener')(listener) })),
      },
      { '@type': `${ADMIN}RoutesConfigDump`, dynamic_route_configs: of('rds', under('route_config')) },
      {
        '@type': `${ADMIN}SecretsConfigDump`,
        dynamic_active_secrets: of('sds', (secret) => ({ name: secret.name, ...under('secret')(secret) })),
      },
      { '@type': `${ADMIN}EcdsConfigDump`, ecds_filters: of('ecds', under('ecds_filter')) },
    ],
  }
}
