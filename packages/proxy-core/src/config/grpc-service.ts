import type { GrpcService as GrpcServiceProto, HttpUri as HttpUriProto } from '@heddle/xds-types/envoy/config/core/v3'
import { asciiLower } from '../matcher/ascii.js'
import type { Fields } from './fields.js'

/** envoy.config.core.v3.GrpcService: a server of the proxy's own calls, behind one of its clusters. */
export interface GrpcService {
  readonly cluster: string
  /** `:authority`; absent: the cluster's name. */
  readonly authority?: string
  /** For a unary call; 0: none. */
  readonly timeoutMs: number
  /** Sent with every call; names in lower case. */
  readonly metadata: readonly (readonly [name: string, value: string])[]
}

/** Undefined, with a problem, where no cluster is named. */
export function compileGrpcService(fields: Fields<GrpcServiceProto>): GrpcService | undefined {
  const envoy = fields.message('envoy_grpc')
  if (envoy === undefined) fields.problem('needs envoy_grpc: the proxy makes its calls over its own clusters.')
  const cluster = envoy?.string('cluster_name') ?? ''
  const authority = envoy?.string('authority') ?? ''
  if (envoy !== undefined && cluster === '') envoy.problem('is missing.', 'cluster_name')
  envoy?.done({
    skip_envoy_headers: 'they say nothing that a server must not know',
    max_receive_message_length: 'the limit is 4 MiB',
  })
  const metadata = fields.messages('initial_metadata').map((header) => {
    const pair = [asciiLower(header.string('key')), header.string('value')] as const
    header.done()
    return pair
  })
  const timeoutMs = fields.durationMs('timeout', 0)
  fields.done({ retry_policy: 'a call is made once' })
  return cluster === '' ? undefined : { cluster, timeoutMs, metadata, ...(authority !== '' && { authority }) }
}

/** envoy.config.core.v3.HttpUri: a server of the proxy's own requests. */
export interface HttpUri {
  readonly cluster: string
  readonly scheme: 'http' | 'https'
  readonly authority: string
  /** With its query. */
  readonly path: string
  /** 0: none. */
  readonly timeoutMs: number
}

const URI = /^(https?):\/\/([^/?#]+)([^#]*)/i

/** Undefined, with a problem, where the URI or the cluster is none. */
export function compileHttpUri(fields: Fields<HttpUriProto>): HttpUri | undefined {
  const [, scheme, authority, rest = ''] = URI.exec(fields.string('uri')) ?? []
  const cluster = fields.string('cluster')
  if (scheme === undefined || authority === undefined) fields.problem('must be http://HOST/PATH or https://HOST/PATH.', 'uri')
  if (cluster === '') fields.problem('is missing.', 'cluster')
  const timeoutMs = fields.durationMs('timeout', 0)
  fields.done()
  if (scheme === undefined || authority === undefined || cluster === '') return undefined
  const path = rest.startsWith('/') ? rest : `/${rest}`
  return { cluster, scheme: asciiLower(scheme) === 'https' ? 'https' : 'http', authority, path, timeoutMs }
}
