import type { TcpProxy_TunnelingConfig } from '@heddle/xds-types/envoy/extensions/filters/network/tcp_proxy/v3'
import { createHeaderMap } from '../http/header-map.js'
import type { HttpRequest } from '../http/message.js'
import type { AccessLogEntry } from '../observe/access-log.js'
import { compileTextFormat } from '../observe/log-format.js'
import { createHeaderMutation } from '../route/header-mutation.js'
import type { Fields } from './fields.js'
import { compileHeaderOption } from './header-options.js'

/** tunneling_config: what the endpoint is asked, which is an HTTP proxy, for one connection. */
export type TunnelRequest = (entry: AccessLogEntry) => Omit<HttpRequest, 'body'>

export function compileTunneling(fields: Fields<TcpProxy_TunnelingConfig> | undefined): TunnelRequest | undefined {
  if (fields === undefined) return undefined
  const text = fields.string('hostname')
  const hostname = fields.take(compileTextFormat(text, `${fields.path}.hostname`, { omitEmptyValues: true }))
  const posts = fields.boolean('use_post')
  const path = fields.string('post_path', '/') || '/'
  if (!posts && fields.has('post_path')) fields.problem('needs use_post.', 'post_path')
  if (text === '') fields.problem('is required.', 'hostname')
  const additions = createHeaderMutation(fields.messages('headers_to_add').map(compileHeaderOption), [])
  fields.done({
    propagate_response_headers: 'nothing here asks the filter state for them',
    propagate_response_trailers: 'nothing here asks the filter state for them',
    formatters: 'every command operator is built in',
  })
  return (entry) => {
    const headers = createHeaderMap()
    additions.apply(headers, entry)
    const common = { scheme: 'http', authority: hostname?.(entry) ?? '', protocol: 'HTTP/1.1', headers } as const
    return posts ? { ...common, method: 'POST', path } : { ...common, method: 'CONNECT', path: '', upgrade: 'connect' }
  }
}
