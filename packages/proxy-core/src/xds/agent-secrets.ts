import { type Clock, createBackoff, createWatch, type Logger, type Random, type Unsubscribe } from '@heddle/runtime'
import { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { DiscoveryRequest, DiscoveryResponse } from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'
import type { Secret, SecretSource } from '../config/compiled.js'
import { decodeSecret, WORKLOAD_SECRETS } from '../secrets.js'
import type { XdsStream, XdsTransport } from './transport.js'

const METHOD = '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets'
/** Istio's name of the static cluster by which the agent beside the proxy serves secrets. */
export const AGENT_CLUSTER = 'sds-grpc'

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

  const accept = (bytes: Uint8Array): string | undefined => {
    const response = DiscoveryResponse.decode(bytes, knownTypes)
    if (!response.ok) return response.diagnostics[0]?.message
    const secrets = (response.value.resources ?? []).map((resource, i) =>
      decodeSecret(resource as SecretMessage, `resources[${i}]`, {}),
    )
    const bad = secrets.find(({ ok }) => !ok)
    if (bad !== undefined) return bad.diagnostics[0]?.message ?? 'not readable'
    const values = secrets.flatMap((secret) => (secret.ok ? [secret.value] : []))
    // Trust first: a peer with a certificate of a new root must find it.
    for (const value of values.sort(({ name }) => (name === WORKLOAD_SECRETS.trust ? -1 : 1))) watches.get(value.name)?.set(value)
    const answered = { version_info: response.value.version_info, response_nonce: response.value.nonce }
    stream?.send(DiscoveryRequest.encode({ ...request, ...answered }, knownTypes))
    return undefined
  }
  const request = { node, type_url: SecretMessage.typeUrl, resource_names: [...watches.keys()] } as const
  const open = (): void => {
    stream = transport.open(METHOD, {
      onMessage(bytes) {
        backoff.reset()
        const problem = accept(bytes)
        if (problem !== undefined) logger.warn({ error: problem }, 'the agent sent a secret that cannot be read')
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
