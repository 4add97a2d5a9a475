import {
  ChannelCredentials,
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js'
import type { MessageType } from '@heddle/xds-types'
import {
  DeltaDiscoveryRequest,
  DeltaDiscoveryResponse,
  DiscoveryRequest,
  DiscoveryResponse,
} from '@heddle/xds-types/envoy/service/discovery/v3'
import { knownTypes } from '@heddle/xds-types/known'

/** A client stream of one protocol, as plain as possible: what it is told to send, and what came. */
export interface TestStream<Req, Res> {
  readonly received: Res[]
  send(request: Req): void
  /** The next response that was not taken yet. */
  next(): Promise<Res>
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>
  /** Half-closes. */
  finish(): void
  cancel(): void
  readonly raw: ClientDuplexStream<Buffer, Buffer>
}

export interface TestClient {
  sotw(path?: string): TestStream<DiscoveryRequest, DiscoveryResponse>
  delta(path?: string): TestStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>
  close(): void
}

const ADS = '/envoy.service.discovery.v3.AggregatedDiscoveryService/'
const pass = (bytes: Buffer): Buffer => bytes

export function connect(
  port: number,
  {
    credentials = ChannelCredentials.createInsecure(),
    token,
    channelOptions = {},
  }: { credentials?: ChannelCredentials; token?: string; channelOptions?: ChannelOptions } = {},
): TestClient {
  // No address: grpc-js would say it as SNI, which Node 26 refuses.
  const client = new Client(`127.0.0.1:${port}`, credentials, {
    'grpc.ssl_target_name_override': 'localhost',
    ...channelOptions,
  })
  const open = <Req, Res>(path: string, request: MessageType<Req>, response: MessageType<Res>): TestStream<Req, Res> => {
    const metadata = new Metadata()
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
    return follow(client.makeBidiStreamRequest(path, pass, pass, metadata), request, response)
  }
  return {
    sotw: (path = `${ADS}StreamAggregatedResources`) => open(path, DiscoveryRequest, DiscoveryResponse),
    delta: (path = `${ADS}DeltaAggregatedResources`) => open(path, DeltaDiscoveryRequest, DeltaDiscoveryResponse),
    close: () => client.close(),
  }
}

function follow<Req, Res>(
  raw: ClientDuplexStream<Buffer, Buffer>,
  request: MessageType<Req>,
  response: MessageType<Res>,
): TestStream<Req, Res> {
  const received: Res[] = []
  const waiting: ((response: Res) => void)[] = []
  let taken = 0
  raw.on('data', (bytes: Buffer) => {
    const decoded = response.decode(bytes, knownTypes)
    if (!decoded.ok) throw new Error(decoded.diagnostics[0]?.message)
    received.push(decoded.value)
    waiting.shift()?.(decoded.value)
  })
  raw.on('error', () => {})
  const ended = new Promise<StatusObject>((resolve) => raw.on('status', resolve))
  return {
    received,
    raw,
    ended,
    send: (message) => void raw.write(Buffer.from(request.encode(message))),
    next() {
      const at = taken++
      const here = received[at]
      if (here !== undefined) return Promise.resolve(here)
      return new Promise((resolve) => waiting.push(resolve))
    },
    finish: () => raw.end(),
    cancel: () => raw.cancel(),
  }
}
