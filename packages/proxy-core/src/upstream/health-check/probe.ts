import type { CompiledCluster } from '../../config/compiled.js'
import type { Codecs } from '../../http/auto.js'
import type { ClientSession } from '../../http/codec.js'
import type { Connection } from '../../net/connection.js'
import type { Timers } from '../../net/timers.js'
import type { ClientTlsContext } from '../../net/tls.js'
import { type OpenOptions, openConnection } from '../connect.js'
import type { Endpoint } from '../endpoint.js'
import { createExchangeProbe } from './exchange-probe.js'
import { grpcCheckRequest, judgeGrpcCheck, MAX_ANSWER_BYTES } from './grpc-probe.js'
import type { HealthCheck } from './health-check.js'
import { httpCheckRequest, judgeHttpCheck } from './http-probe.js'
import type { Probe } from './session.js'
import { createTcpProbe } from './tcp-probe.js'

export interface ProbeOptions extends Omit<OpenOptions, 'tlsContext'> {
  readonly cluster: CompiledCluster
  readonly codecs: Codecs
  readonly timers: Timers
}

/** A check of the cluster's kind for one endpoint, over connections that no request uses. */
export function createProbe(options: ProbeOptions, check: HealthCheck, endpoint: () => Endpoint): Probe {
  const { checker, reuseConnection } = check
  const connect = (): Promise<Connection> => {
    const target = endpoint()
    const own = target.healthCheck
    const address = { ...(own?.address ?? target.address), ...(own?.port !== undefined && { port: own.port }) }
    const proxyProtocol = options.cluster.proxyProtocolFor?.(target)
    return openConnection({ ...options, proxyProtocol, tlsContext: tlsFor(options.cluster, check, target) }, address)
  }
  if (checker.kind === 'TCP') return createTcpProbe({ config: checker, reuseConnection, connect })
  const http2 = checker.kind === 'GRPC' || checker.http2
  const { name } = options.cluster
  const isTls = (): boolean => options.cluster.tlsFor(endpoint()) !== undefined
  const hostname = (): string => endpoint().healthCheck?.hostname ?? ''
  const shared = {
    reuseConnection,
    connect: async (onGone: (session: ClientSession) => void) => openSession(options, await connect(), http2, onGone),
  }
  if (checker.kind === 'GRPC')
    return createExchangeProbe({
      ...shared,
      bodyBytes: MAX_ANSWER_BYTES,
      request: () => grpcCheckRequest(checker, name, hostname(), isTls()),
      judge: judgeGrpcCheck,
    })
  return createExchangeProbe({
    ...shared,
    bodyBytes: checker.responseBufferBytes === 0 ? Number.POSITIVE_INFINITY : checker.responseBufferBytes,
    request: () => httpCheckRequest(checker, name, hostname(), isTls()),
    judge: (answer) => judgeHttpCheck(checker, answer),
  })
}

function tlsFor(
  cluster: CompiledCluster,
  { alpn, socketMatch, checker }: HealthCheck,
  endpoint: Endpoint,
): ClientTlsContext | undefined {
  const labelled =
    socketMatch === undefined
      ? endpoint
      : { ...endpoint, metadata: { ...endpoint.metadata, 'envoy.transport_socket_match': socketMatch } }
  const context = cluster.tlsFor(labelled)
  if (context === undefined) return undefined
  if (alpn.length > 0) return { ...context, alpn }
  if (context.alpn.length > 0 || checker.kind === 'TCP') return context
  return { ...context, alpn: checker.kind === 'GRPC' || checker.http2 ? ['h2'] : ['http/1.1'] }
}

function openSession(
  { cluster, codecs, timers, stats }: ProbeOptions,
  connection: Connection,
  http2: boolean,
  onGone: (session: ClientSession) => void,
): ClientSession {
  const { maxHeadersKb, maxHeadersCount, enableTrailers, http2: settings } = cluster.http
  const options = { maxHeadersKb, maxHeadersCount, enableTrailers, http2: settings, timers, stats: stats.codec }
  return (http2 ? codecs.http2 : codecs.http1).connect(connection, options, {
    onAvailable() {},
    onDraining: onGone,
    onClose: onGone,
  })
}
