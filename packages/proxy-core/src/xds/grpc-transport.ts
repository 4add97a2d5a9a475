import { type ChannelOptions, Client, type ClientDuplexStream, credentials, Metadata, status } from '@grpc/grpc-js'
import { ipOf, isFor } from '../net/server-identity.js'
import type { StreamEvents, XdsStream, XdsTransport } from './transport.js'

/** PEM texts for TLS to the server. */
export interface GrpcTls {
  /** Trust anchors; absent: those of the system. */
  readonly rootCertificates?: string
  readonly certificateChain?: string
  readonly privateKey?: string
  /** Name to verify in the server's certificate when it is not the host of `target`. */
  readonly serverName?: string
}

export interface GrpcTransportOptions {
  /** `127.0.0.1:15012`, `dns:///istiod.istio-system.svc:15012`, `unix:///run/xds.sock`. */
  readonly target: string
  /** Read when a stream opens, so that rotated certificates take part; undefined: plaintext. */
  tls?(): GrpcTls | undefined
  /** Metadata of each stream, such as `authorization: Bearer …`; read when the stream opens. */
  metadata?(): Promise<Readonly<Record<string, string>>>
  /** Pings on an otherwise silent connection, in milliseconds. 30,000 by default, as Istio's agent does. */
  readonly keepaliveMs?: number
  /** Largest response in bytes. No limit by default: a response of LDS or CDS holds everything. */
  readonly maxReceiveBytes?: number
}

const passBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** gRPC by `@grpc/grpc-js`. Messages pass as bytes; a new channel is made when the TLS material has changed. */
export function createGrpcTransport(options: GrpcTransportOptions): XdsTransport {
  let channel: { client: Client; key: string } | undefined

  const clientFor = (): Client => {
    const tls = options.tls?.()
    const key = JSON.stringify(tls ?? null)
    if (channel?.key === key) return channel.client
    channel?.client.close()
    const client = new Client(options.target, channelCredentials(options.target, tls), channelOptions(options, tls))
    channel = { client, key }
    return client
  }

  return {
    target: options.target,
    open(method, events) {
      let call: ClientDuplexStream<Uint8Array, Uint8Array> | undefined
      let closed = false
      const early: Uint8Array[] = []
      const end = (reason: string): void => {
        if (closed) return
        closed = true
        events.onClose(reason)
      }
      void readMetadata(options).then(
        (metadata) => {
          if (closed) return
          try {
            call = clientFor().makeBidiStreamRequest<Uint8Array, Uint8Array>(method, passBytes, (bytes) => bytes, metadata)
          } catch (error) {
            return end(String(error))
          }
          listen(call, events, end)
          for (const bytes of early) call.write(bytes)
        },
        (error: unknown) => end(`metadata for ${options.target}: ${String(error)}`),
      )
      return {
        send(bytes) {
          if (call === undefined) early.push(bytes)
          else if (!closed) call.write(bytes)
        },
        close() {
          if (call === undefined) end('closed')
          else call.cancel()
        },
      } satisfies XdsStream
    },
    close() {
      channel?.client.close()
      channel = undefined
    },
  }
}

function listen(call: ClientDuplexStream<Uint8Array, Uint8Array>, events: StreamEvents, end: (reason: string) => void): void {
  call.on('data', (bytes: Uint8Array) => events.onMessage(bytes))
  // The status tells the same and always comes.
  call.on('error', () => {})
  call.on('status', ({ code, details }) => end(`${code} ${status[code] ?? ''}${details === '' ? '' : `: ${details}`}`))
}

async function readMetadata(options: GrpcTransportOptions): Promise<Metadata> {
  const metadata = new Metadata()
  for (const [name, value] of Object.entries((await options.metadata?.()) ?? {})) metadata.set(name, value)
  return metadata
}

/** Said instead of an IP address, which is no server name (RFC 6066 §3): grpc-js would say it, and Node 26 refuses to. */
const NO_NAME = 'ip-address.invalid'

function channelCredentials(target: string, tls: GrpcTls | undefined): ReturnType<typeof credentials.createInsecure> {
  if (tls === undefined) return credentials.createInsecure()
  const ip = tls.serverName === undefined ? ipOf(target) : undefined
  const verify = ip === undefined ? {} : { checkServerIdentity: isFor(ip) }
  const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
  return credentials.createSsl(pem(tls.rootCertificates), pem(tls.privateKey), pem(tls.certificateChain), verify)
}

function channelOptions(options: GrpcTransportOptions, tls: GrpcTls | undefined): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': options.keepaliveMs ?? 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.max_receive_message_length': options.maxReceiveBytes ?? -1,
    // One client, one connection: what another client in this process was refused must not delay this one.
    'grpc.use_local_subchannel_pool': 1,
    // The client above decides when to come back.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    ...(tls !== undefined &&
      tls.serverName === undefined &&
      ipOf(options.target) !== undefined && { 'grpc.ssl_target_name_override': NO_NAME }),
    ...(tls?.serverName !== undefined && {
      'grpc.ssl_target_name_override': tls.serverName,
      'grpc.default_authority': tls.serverName,
    }),
  }
}
