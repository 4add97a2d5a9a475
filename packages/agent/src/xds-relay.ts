import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  Metadata,
  type Server,
  type ServerDuplexStream,
} from '@grpc/grpc-js'
import type { Logger } from '@heddle/runtime'
import { ADS, definitionOf } from '@heddle/xds-server/grpc'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import type { NameSubscription } from './dns/names.js'

export interface XdsRelayOptions {
  /** `istiod.istio-system.svc:15012` */
  readonly address: string
  readonly credentials: ChannelCredentials
  readonly channelOptions?: ChannelOptions
  /** Of each stream; read when it opens. */
  token?(): Promise<string | undefined>
  /** The proxy has answered a response of this type, with an ACK or a NACK. */
  onAnswered(typeUrl: string): void
  /** What the agent asks for itself on each Delta stream. */
  readonly names?: NameSubscription
  readonly logger: Logger
}

/** ADS as the proxy sees it, which is the control plane's: bytes pass both ways, the agent adds who it is. */
export function addXdsRelay(server: Server, options: XdsRelayOptions): { close(): void } {
  const client = new Client(options.address, options.credentials, {
    'grpc.max_receive_message_length': -1,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    // The proxy has a back-off of its own; two of them on top of each other would take minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    ...options.channelOptions,
  })
  const definition = definitionOf(ADS)
  const handlers = Object.entries(definition).map(([name, { path }]) => [
    name,
    (call: ServerDuplexStream<Buffer, Buffer>) => void relay(call, client, path, options),
  ])
  server.addService(definition, Object.fromEntries(handlers))
  return { close: () => client.close() }
}

const pass = (bytes: Buffer): Buffer => bytes
const DELTA = '/DeltaAggregatedResources'

async function relay(
  call: ServerDuplexStream<Buffer, Buffer>,
  client: Client,
  path: string,
  options: XdsRelayOptions,
): Promise<void> {
  const early: Buffer[] = []
  let onRequest = (bytes: Buffer): void => void early.push(bytes)
  call.on('data', (bytes: Buffer) => {
    noteAnswer(bytes, path, options)
    onRequest(bytes)
  })
  call.on('error', () => {})
  const metadata = new Metadata()
  const token = await options.token?.().catch(() => undefined)
  if (token !== undefined) metadata.set('authorization', `Bearer ${token.trim()}`)
  const upstream = client.makeBidiStreamRequest(path, pass, pass, metadata)
  // A proxy's first request says who it is; only what comes behind it may leave that out.
  let names = path.endsWith(DELTA) ? options.names : undefined
  const own = names
  onRequest = (bytes) => {
    upstream.write(bytes)
    if (names !== undefined) upstream.write(names.request)
    names = undefined
  }
  for (const bytes of early) onRequest(bytes)
  call.on('end', () => upstream.end())
  call.on('cancelled', () => upstream.cancel())
  upstream.on('data', (bytes: Buffer) => {
    const answer = own?.take(bytes)
    if (answer !== undefined) return void upstream.write(answer)
    // A response may be large: no more of them than the proxy takes.
    if (!call.write(bytes)) {
      upstream.pause()
      call.once('drain', () => upstream.resume())
    }
  })
  upstream.on('end', () => call.end())
  upstream.on('error', (error) => {
    options.logger.warn({ error: error.message, address: options.address }, 'the stream to the control plane has ended')
    call.emit('error', error)
  })
}

/** Requests are small; SotW and Delta have the type in other fields, so only ours, Delta, is looked at. */
function noteAnswer(bytes: Buffer, path: string, { onAnswered }: XdsRelayOptions): void {
  if (!path.endsWith(DELTA)) return
  const request = DeltaDiscoveryRequest.decode(bytes)
  if (request.ok && request.value.response_nonce) onAnswered(request.value.type_url ?? '')
}
