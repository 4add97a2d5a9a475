import type {
  HttpConnectionManager,
  HttpConnectionManager_ForwardClientCertConfig,
} from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import type { ClientCertForwarding } from '../http/forwarded-client-cert.js'
import { compileMatchTree, type MatchTree } from '../matcher/match-tree.js'
import type { RequestHead } from '../route/table.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileRequestInput } from './route-matcher.js'

const MANAGER = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const FORWARD = ['SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY'] as const

/** The same fields stand in the manager and in the actions of its forward_client_cert_matcher. */
export function compileClientCert(fields: Fields<HttpConnectionManager_ForwardClientCertConfig>): ClientCertForwarding {
  const details = fields.message('set_current_client_cert_details')
  const setCurrentClientCert = {
    subject: details?.boolean('subject') ?? false,
    cert: details?.boolean('cert') ?? false,
    chain: details?.boolean('chain') ?? false,
    dns: details?.boolean('dns') ?? false,
    uri: details?.boolean('uri') ?? false,
    issuer: details?.boolean('issuer') ?? false,
    json: details?.choice('format', ['TEXT', 'JSON'], 'TEXT') === 'JSON',
  }
  details?.done()
  return { forwardClientCert: fields.choice('forward_client_cert_details', FORWARD, 'SANITIZE'), setCurrentClientCert }
}

/** By what a request says; undefined for what comes to no action: the manager's own settings. */
export function compileClientCertMatcher(fields: Fields<HttpConnectionManager>): {
  readonly clientCertMatcher?: MatchTree<RequestHead, ClientCertForwarding>
} {
  const matcher = fields.message('forward_client_cert_matcher')
  if (matcher === undefined) return {}
  const clientCertMatcher = compileMatchTree<RequestHead, ClientCertForwarding>(matcher, {
    input: compileRequestInput,
    action(config, at) {
      if (config.typeName === `${MANAGER}.ForwardClientCertConfig`) {
        const action = fieldsOf<HttpConnectionManager_ForwardClientCertConfig>(config, at)
        const compiled = compileClientCert(action)
        action.done()
        return compiled
      }
      ;(at as Fields).problem(`${config.typeName} is not supported as an action here.`, 'action')
      return undefined
    },
  })
  return { clientCertMatcher }
}
