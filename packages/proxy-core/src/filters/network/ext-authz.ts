import type { ExtAuthz } from '@heddle/xds-types/envoy/extensions/filters/network/ext_authz/v3'
import type { Fields } from '../../config/fields.js'
import type { GrpcService } from '../../config/grpc-service.js'
import { compileMetadataMatcher, type DynamicMetadata, type MetadataTest } from '../../matcher/value.js'
import { formatAddress } from '../../net/address.js'
import type { Connection } from '../../net/connection.js'
import type { Refusal } from '../../net/terminal.js'
import { prefixedCounter } from '../../observe/filter-stats.js'
import { NETWORK_EXT_AUTHZ_LABEL } from '../../observe/labels.js'
import { compileAuthzGrpcService } from '../http/ext-authz-config.js'
import { checkOverGrpc } from '../http/ext-authz-grpc.js'
import { type ConnectionTold, connectionAttributes, pickMetadata } from '../http/ext-authz-request.js'
import type { AuthzVerdict } from '../http/ext-authz-verdict.js'
import type { Authorizer, AuthorizerDeps, NetworkAuthorizer } from './authorizer.js'

const NAMESPACE = 'envoy.filters.network.ext_authz'
const NO_METADATA: DynamicMetadata = new Map()
const GONE = 'gone'

interface Config extends ConnectionTold {
  readonly statPrefix: string
  /** Undefined only beside a problem. */
  readonly service: GrpcService | undefined
  readonly failureModeAllow: boolean
  readonly enabledMetadata: MetadataTest | undefined
  readonly metadataNamespaces: readonly string[]
}

/**
 * envoy.filters.network.ext_authz: another service decides about a connection. Without its decision the connection is closed, unless
 * failure_mode_allow is set. It is asked as soon as the connection stands, where Envoy waits for the first byte: until then nothing goes
 * to the upstream, and nothing comes from it.
 */
export function compileNetworkExtAuthz(fields: Fields<ExtAuthz>, name: string, message: unknown): NetworkAuthorizer {
  const config = compile(fields)
  return {
    name,
    message,
    create: (deps) => createAuthorizer(config, deps),
    explain(metadata) {
      const off = whyOff(config, metadata)
      if (off !== undefined) return { outcome: 'pass', reason: off }
      return { outcome: 'maybe', reason: `the authorization service behind ${config.service?.cluster} decides` }
    },
  }
}

function compile(fields: Fields<ExtAuthz>): Config {
  const service = fields.message('grpc_service')
  const enabled = fields.message('filter_enabled_metadata')
  if (service === undefined) fields.problem('is required.', 'grpc_service')
  const config: Config = {
    statPrefix: fields.string('stat_prefix').replace(/\.$/, ''),
    service: service && compileAuthzGrpcService(service),
    failureModeAllow: fields.boolean('failure_mode_allow'),
    includePeerCertificate: fields.boolean('include_peer_certificate'),
    includeTlsSession: fields.boolean('include_tls_session'),
    labelsKey: fields.string('bootstrap_metadata_labels_key'),
    enabledMetadata: enabled && compileMetadataMatcher(enabled),
    metadataNamespaces: fields.strings('metadata_context_namespaces'),
  }
  fields.choice('transport_api_version', ['AUTO', 'V3'], 'V3')
  fields.done()
  return config
}

/** Undefined: the service is asked. */
function whyOff({ enabledMetadata: test }: Config, metadata: DynamicMetadata): string | undefined {
  return test === undefined || test.matches(metadata) ? undefined : `not asked: ${test.name} is not ${test.text}`
}

function createAuthorizer(config: Config, deps: AuthorizerDeps): Authorizer {
  const { statPrefix } = config
  const counter = prefixedCounter(deps.stats, NETWORK_EXT_AUTHZ_LABEL, statPrefix, 'ext_authz')
  const active = deps.stats
    .gauge('envoy_ext_authz_active', "Envoy's ext_authz statistics.", [NETWORK_EXT_AUTHZ_LABEL])
    .labels(statPrefix)
  const count = (name: string): void => counter(name).inc()
  return {
    async check(connection) {
      if (whyOff(config, connection.metadata ?? NO_METADATA) !== undefined) {
        count('disabled')
        return undefined
      }
      count('total')
      active.add(1)
      const verdict = await ask(config, connection, deps)
      active.add(-1)
      if (verdict === GONE) return undefined
      count(verdict.kind)
      const refusal = settle(config, verdict, connection, deps)
      if (refusal !== undefined) count('cx_closed')
      else if (verdict.kind === 'error') count('failure_mode_allowed')
      return refusal
    },
  }
}

function ask(config: Config, connection: Connection, { grpc, node }: AuthorizerDeps): Promise<AuthzVerdict | typeof GONE> {
  const metadata = pickMetadata(connection.metadata ?? NO_METADATA, config.metadataNamespaces)
  const attributes = {
    ...connectionAttributes(config, connection, node),
    ...(metadata && { metadata_context: { filter_metadata: metadata } }),
  }
  const call = checkOverGrpc(config.service!, { attributes }, grpc)
  return new Promise((resolve) => {
    call.done.then(resolve)
    connection.onClosed(() => {
      call.cancel()
      resolve(GONE)
    })
  })
}

function settle(
  { failureModeAllow }: Config,
  verdict: AuthzVerdict,
  connection: Connection,
  { logger }: AuthorizerDeps,
): Refusal | undefined {
  const client = formatAddress(connection.remote)
  if (verdict.kind === 'error') {
    logger.warn({ client, reason: verdict.reason, allowed: failureModeAllow }, 'ext_authz: no decision about a connection')
    return failureModeAllow ? undefined : { flag: 'UAEX', details: 'ext_authz_error' }
  }
  if (verdict.metadata !== undefined)
    connection.metadata = new Map([...(connection.metadata ?? []), [NAMESPACE, verdict.metadata]])
  if (verdict.kind === 'ok') return undefined
  logger.info({ client }, 'ext_authz: a connection was denied by the authorization service')
  return { flag: 'UAEX', details: 'ext_authz_denied' }
}
