import { isType, unpack } from '../any.js'
import type { ConfigSource, TransportSocket, TypedExtensionConfig } from '../gen/envoy/config/core/v3.js'
import { StartTlsConfig, UpstreamStartTlsConfig } from '../gen/envoy/extensions/transport_sockets/starttls/v3.js'
import {
  type CommonTlsContext,
  DownstreamTlsContext,
  type SdsSecretConfig,
  Secret,
  UpstreamTlsContext,
} from '../gen/envoy/extensions/transport_sockets/tls/v3.js'
import type { ResourceRef } from '../resource-type.js'
import type { Any } from '../shapes.js'
import type { MessageType, TypeRegistry } from '../types.js'

/** Collects references, each once, in the order met. */
export interface References {
  /** `source`: where it is to be asked for. */
  add(typeUrl: string, name: string | undefined, source?: ConfigSource): void
  readonly list: readonly ResourceRef[]
}

export function createReferences(): References {
  const list: ResourceRef[] = []
  return {
    list,
    add(typeUrl, name, source) {
      if (name === undefined || name === '' || list.some((ref) => ref.name === name && ref.typeUrl === typeUrl)) return
      const fetchTimeout = source?.initial_fetch_timeout
      list.push({ typeUrl, name, ...(fetchTimeout !== undefined && { fetchTimeout }) })
    },
  }
}

/** The message in an Any if it is of the type; undefined otherwise. No copy is made of what is already decoded. */
export function open<T>(message: Any | undefined, type: MessageType<T>, registry: TypeRegistry): T | undefined {
  if (message === undefined || !isType(message, type as MessageType<unknown>)) return undefined
  if (message['@type'] !== undefined) return message as T
  const unpacked = unpack(message, type, registry)
  return unpacked.ok ? unpacked.value : undefined
}

/** Secrets that a transport socket names (envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig). */
export function addSecrets(socket: TransportSocket | undefined, refs: References, registry: TypeRegistry): void {
  const config = socket?.typed_config
  const upstream = open(config, UpstreamTlsContext, registry) ?? open(config, UpstreamStartTlsConfig, registry)?.tls_socket_config
  const downstream = open(config, DownstreamTlsContext, registry) ?? open(config, StartTlsConfig, registry)?.tls_socket_config
  addTlsSecrets((upstream ?? downstream)?.common_tls_context, refs)
  addSecret(downstream?.session_ticket_keys_sds_secret_config, refs)
}

function addTlsSecrets(context: CommonTlsContext | undefined, refs: References): void {
  for (const secret of context?.tls_certificate_sds_secret_configs ?? []) addSecret(secret, refs)
  addSecret(context?.validation_context_sds_secret_config, refs)
  addSecret(context?.combined_validation_context?.validation_context_sds_secret_config, refs)
}

/** A name without a source means a static secret of the bootstrap: nothing to subscribe to. */
function addSecret(config: SdsSecretConfig | undefined, refs: References): void {
  if (config?.sds_config !== undefined) refs.add(Secret.typeUrl, config.name, config.sds_config)
}

/** An HTTP or network filter whose config comes by ECDS. */
export function addExtension(
  name: string | undefined,
  discovery: { readonly config_source?: ConfigSource | undefined } | undefined,
  type: MessageType<TypedExtensionConfig>,
  refs: References,
): void {
  if (discovery !== undefined) refs.add(type.typeUrl, name, discovery.config_source)
}
