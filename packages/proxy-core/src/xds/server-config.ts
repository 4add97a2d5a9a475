import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import type {
  ApiConfigSource,
  DataSource,
  GrpcService,
  GrpcService_GoogleGrpc,
  HeaderValue,
} from '@heddle/xds-types/envoy/config/core/v3'
import type { UpstreamTlsContext } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { socketAddressOf } from '../bootstrap.js'
import { type DataSourceReads, readDataSource } from '../config/data-source.js'
import type { SocketAddress } from '../net/connection.js'
import type { GrpcTls, GrpcTransportOptions } from './grpc-transport.js'

const UPSTREAM_TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext'
const PATH = 'dynamic_resources.ads_config.grpc_services'

/**
 * Where and how to reach the servers of an ads_config: over `envoy_grpc` by a static cluster, or over `google_grpc`. One at
 * least; those behind the first stand in for it.
 */
export function serversOf(
  { grpc_services: services = [] }: ApiConfigSource,
  clusters: readonly Cluster[],
  reads: DataSourceReads,
): Result<readonly GrpcTransportOptions[]> {
  if (services.length === 0) return fail(problem('bootstrap.ads', PATH, 'Name a gRPC service.'))
  const servers: GrpcTransportOptions[] = []
  for (const [i, service] of services.entries()) {
    const server = serverOf(service, `${PATH}[${i}]`, clusters, reads)
    if (!server.ok) return server
    servers.push(server.value)
  }
  return ok(servers)
}

function serverOf(
  service: GrpcService,
  path: string,
  clusters: readonly Cluster[],
  reads: DataSourceReads,
): Result<GrpcTransportOptions> {
  const server =
    service.google_grpc !== undefined
      ? ofGoogleGrpc(service.google_grpc, `${path}.google_grpc`, reads)
      : ofCluster(service.envoy_grpc?.cluster_name ?? '', `${path}.envoy_grpc.cluster_name`, clusters, reads)
  if (!server.ok) return server
  const metadata = { ...server.value.headers, ...headersOf(service.initial_metadata ?? []) }
  const { target, tls } = server.value
  return ok({
    target,
    ...(tls !== undefined && { tls: () => tls }),
    ...(Object.keys(metadata).length > 0 && { metadata: () => Promise.resolve(metadata) }),
  })
}

interface Server {
  readonly target: string
  readonly tls?: GrpcTls | undefined
  readonly headers?: Readonly<Record<string, string>>
}

function headersOf(headers: readonly HeaderValue[]): Record<string, string> {
  return Object.fromEntries(headers.map(({ key = '', value = '' }) => [key.toLowerCase(), value]))
}

function ofGoogleGrpc(service: GrpcService_GoogleGrpc, path: string, reads: DataSourceReads): Result<Server> {
  const token = service.call_credentials?.[0]?.access_token
  if (service.call_credentials !== undefined && service.call_credentials.length > 0 && token === undefined) {
    return fail(problem('bootstrap.unsupported', `${path}.call_credentials`, 'Only access_token is supported.'))
  }
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const target = service.target_uri ?? ''
  const ssl = service.channel_credentials?.ssl_credentials
  if (ssl === undefined) return ok({ target, headers })
  const tls = readPem(
    { rootCertificates: ssl.root_certs, certificateChain: ssl.cert_chain, privateKey: ssl.private_key },
    path,
    reads,
  )
  return tls.ok ? ok({ target, headers, tls: tls.value }) : tls
}

function ofCluster(name: string, path: string, clusters: readonly Cluster[], reads: DataSourceReads): Result<Server> {
  const cluster = clusters.find((candidate) => candidate.name === name)
  if (cluster === undefined) return fail(problem('bootstrap.ads', path, `No static cluster is called ${JSON.stringify(name)}.`))
  const endpoints = cluster.load_assignment?.endpoints?.flatMap(({ lb_endpoints = [] }) => lb_endpoints) ?? []
  const sockets: SocketAddress[] = []
  for (const { endpoint } of endpoints) {
    if (endpoint?.address === undefined) continue
    const socket = socketAddressOf(endpoint.address, `${path}: load_assignment`)
    if (!socket.ok) return socket
    sockets.push(socket.value)
  }
  if (sockets.length === 0) return fail(problem('bootstrap.ads', path, `Cluster ${name} has no endpoint in its load_assignment.`))
  const target = targetOfAll(sockets)
  if (target === undefined) {
    const message = `The endpoints of cluster ${name} are not all IPv4 or all IPv6 addresses: name a gRPC service for each.`
    return fail(problem('bootstrap.ads', path, message))
  }
  const tls = tlsOfCluster(cluster, reads)
  return tls.ok ? ok({ target, tls: tls.value }) : tls
}

/** Several addresses are tried in turn, again whenever a connection ends. Undefined: gRPC has no name for such a list. */
function targetOfAll(sockets: readonly SocketAddress[]): string | undefined {
  if (sockets.length === 1) return sockets.map(targetOf)[0]
  for (const family of ['ipv4', 'ipv6'] as const)
    if (sockets.every(({ address }) => familyOf(address) === family)) return `${family}:${sockets.map(targetOf).join(',')}`
  return undefined
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  if (/^\d+(?:\.\d+){3}$/.test(address)) return 'ipv4'
  return address.includes(':') && !address.includes('/') ? 'ipv6' : undefined
}

function targetOf({ address, port }: SocketAddress): string {
  if (address.startsWith('/')) return `unix://${address}`
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function tlsOfCluster(cluster: Cluster, reads: DataSourceReads): Result<GrpcTls | undefined> {
  const config = cluster.transport_socket?.typed_config
  if (config === undefined) return ok(undefined)
  const path = `static_resources.clusters[${cluster.name}].transport_socket.typed_config`
  if (config['@type'] !== UPSTREAM_TLS)
    return fail(problem('bootstrap.unsupported', path, 'Only UpstreamTlsContext is supported here.'))
  const { sni, common_tls_context: common } = config as UpstreamTlsContext
  const [certificate] = common?.tls_certificates ?? []
  if (common?.tls_certificate_sds_secret_configs !== undefined || common?.validation_context_sds_secret_config !== undefined) {
    return fail(
      problem(
        'bootstrap.unsupported',
        `${path}.common_tls_context`,
        'The ADS cluster cannot take its own certificates from SDS.',
      ),
    )
  }
  const tls = readPem(
    {
      rootCertificates: common?.validation_context?.trusted_ca,
      certificateChain: certificate?.certificate_chain,
      privateKey: certificate?.private_key,
    },
    path,
    reads,
  )
  if (!tls.ok) return tls
  return ok({ ...tls.value, ...(sni !== undefined && sni !== '' && { serverName: sni }) })
}

function readPem(
  sources: Readonly<Record<'rootCertificates' | 'certificateChain' | 'privateKey', DataSource | undefined>>,
  path: string,
  reads: DataSourceReads,
): Result<GrpcTls> {
  const tls: Partial<Record<keyof GrpcTls, string>> = {}
  for (const [key, source] of Object.entries(sources) as [keyof GrpcTls, DataSource | undefined][]) {
    if (source === undefined) continue
    const text = readDataSource(source, path, reads)
    if (!text.ok) return text
    tls[key] = text.value
  }
  return ok(tls)
}
