import { type Clock, createBackoff, createWatch, type Logger, type Random, type Unsubscribe } from '@heddle/runtime'
import { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { DiscoveryRequest, DiscoveryResponse } from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { checked } from '../config/checked.js'
import type { Secret, SecretSource } from '../config/compiled.js'
import { decodeSecret, WORKLOAD_SECRETS } from '../secrets.js'
import { describe, errorDetail, rejectionOf } from './nack.js'
import type { XdsStream, XdsTransport } from './transport.js'

const METHOD = '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets'
/** Istio's name of the static cluster by which the agent beside the proxy serves secrets. */
export const AGENT_CLUSTER = 'sds-grpc'

const decode = checked(SecretMessage, (message) => decodeSecret(message, '', {}))

export interface AgentSecretsOptions {
  readonly transport: XdsTransport
  readonly node: object
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** The workload's own certificate and trust anchors from the agent, over SDS of its own. A secret that is there stays while the agent is away. */
export function createAgentSecrets({
  transport,
  node,
  clock,
  random,
  logger,
}: AgentSecretsOptions): SecretSource & { close(): void } {
  const watches = new Map(
    Object.values(WORKLOAD_SECRETS).map((name) => [name as string, createWatch<Secret | undefined>(undefined)]),
  )
  const none = createWatch<Secret | undefined>(undefined)
  const backoff = createBackoff({ clock, random })
  let stream: XdsStream | undefined
  let cancel: Unsubscribe = () => {}
  let closed = false

  /** Accepted last: a NACK says that it still holds. */
  let version = ''
  const accept = (bytes: Uint8Array): void => {
    const response = DiscoveryResponse.decode(bytes, knownTypes)
    if (!response.ok) {
      logger.warn({ error: describe(response.diagnostics) }, 'what the agent sent cannot be read')
      return
    }
    const { resources = [], version_info = '', nonce = '' } = response.value
    const read = resources.map((resource) => ({ resource, result: decode(resource as SecretMessage) }))
    const values = read.flatMap(({ result }) => (result.ok ? [result.value] : []))
    // Trust first: a peer with a certificate of a new root must find it.
    for (const value of values.sort(({ name }) => (name === WORKLOAD_SECRETS.trust ? -1 : 1))) watches.get(value.name)?.set(value)
    const rejections = read.flatMap(({ resource, result }) =>
      result.ok ? [] : [rejectionOf((resource as SecretMessage).name ?? '', result.diagnostics)],
    )
    const error_detail = errorDetail(rejections)
    if (error_detail === undefined) version = version_info
    else logger.warn({ error: error_detail.message }, 'the agent sent a secret that cannot be used; the last good one stays')
    const answer = { ...request, version_info: version, response_nonce: nonce, ...(error_detail && { error_detail }) }
    stream?.send(DiscoveryRequest.encode(answer, knownTypes))
  }
  const request = { node, type_url: SecretMessage.typeUrl, resource_names: [...watches.keys()] } as const
  const open = (): void => {
    stream = transport.open(METHOD, {
      onMessage(bytes) {
        backoff.reset()
        accept(bytes)
      },
      onClose(reason) {
        if (closed) return
        logger.warn({ reason, target: transport.target }, 'the agent’s secrets are away; trying again')
        cancel = backoff.retry(open)
      },
    })
    stream.send(DiscoveryRequest.encode(request, knownTypes))
  }
  open()
  return {
    watch: (name) => watches.get(name) ?? none,
    owns: (name) => watches.has(name),
    close() {
      closed = true
      cancel()
      stream?.close()
      transport.close()
    },
  }
}
