import type { HttpConnectionManager_ProxyStatusConfig } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { ProxyStatusConfig } from '../http/proxy-status.js'
import type { Fields } from './fields.js'

export function compileProxyStatus(fields: Fields<HttpConnectionManager_ProxyStatusConfig> | undefined): {
  readonly proxyStatus?: ProxyStatusConfig
} {
  if (fields === undefined) return {}
  const literal = fields.string('literal_proxy_name')
  const byNode = fields.has('use_node_id')
  fields.boolean('use_node_id')
  const proxyStatus: ProxyStatusConfig = {
    ...(byNode ? { name: { nodeId: true } } : fields.has('literal_proxy_name') && { name: { literal } }),
    details: !fields.boolean('remove_details'),
    flags: !fields.boolean('remove_response_flags'),
    recommendedStatus: fields.boolean('set_recommended_response_code'),
  }
  fields.done({ remove_connection_termination_details: 'there are none' })
  return { proxyStatus }
}
