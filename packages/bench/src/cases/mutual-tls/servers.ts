import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RoundContext } from '../../bench-case.js'
import { heddleCommand } from '../../commands.js'
import { findEnvoy, findHaproxy, findNginx } from '../../peers/find.js'
import { nginxConfig } from '../http-proxy/proxies.js'
import { typed } from '../http-proxy/typed.js'
import { haproxyConfig } from './haproxy-config.js'

/** What answers every request with 1 KiB by itself, over mTLS with the certificates of the folder. Nobody gives tickets to come back with. */
export type MutualTlsServer = (context: RoundContext, port: number) => Promise<readonly string[]>

export const BODY: string = 'x'.repeat(1024)

export const heddle: MutualTlsServer = async (context, port) => [
  ...heddleCommand(context.built),
  ...['proxy', '-c', await writeBootstrap(context, port), '--concurrency', '1', '--log-level', 'error'],
]

export const envoy: MutualTlsServer = async (context, port) => [
  findEnvoy()!.path,
  ...['-c', await writeBootstrap(context, port), '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart'],
]

export const haproxy: MutualTlsServer = async ({ folder }, port) => {
  const file = join(folder, 'haproxy.cfg')
  await writeFile(file, haproxyServer(folder, port))
  return [findHaproxy()!.path, '-db', '-q', '-f', file]
}

function haproxyServer(folder: string, port: number): string {
  return haproxyConfig(`frontend in
  bind 127.0.0.1:${port} ssl crt ${join(folder, 'server.pem')} ca-file ${join(folder, 'root.crt')} verify required no-tls-tickets alpn http/1.1
  http-request return status 200 content-type text/plain string ${BODY}
`)
}

export const nginx: MutualTlsServer = async ({ folder }, port) => {
  const file = join(folder, 'nginx.conf')
  await writeFile(file, nginxServer(folder, port))
  return [findNginx()!.path, '-p', folder, '-e', 'stderr', '-c', file]
}

function nginxServer(folder: string, port: number): string {
  return nginxConfig(
    folder,
    `access_log off;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${join(folder, 'server.crt')}; ssl_certificate_key ${join(folder, 'server.key')};
    ssl_client_certificate ${join(folder, 'root.crt')}; ssl_verify_client on; ssl_verify_depth 3;
    ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off; ssl_session_tickets off;
    default_type text/plain;
    location / { return 200 ${BODY}; }
  }`,
  )
}

async function writeBootstrap(context: RoundContext, port: number): Promise<string> {
  const file = join(context.folder, 'bootstrap.json')
  await writeFile(file, JSON.stringify(bootstrap(context.folder, port)))
  return file
}

function bootstrap(folder: string, port: number): object {
  const filename = (name: string): object => ({ filename: join(folder, name) })
  const tls = typed('transport_sockets.tls.v3.DownstreamTlsContext', {
    require_client_certificate: true,
    disable_stateless_session_resumption: true,
    common_tls_context: {
      alpn_protocols: ['http/1.1'],
      tls_certificates: [{ certificate_chain: filename('server.crt'), private_key: filename('server.key') }],
      validation_context: {
        trusted_ca: filename('root.crt'),
        match_typed_subject_alt_names: [{ san_type: 'URI', matcher: { prefix: 'spiffe://cluster.local/' } }],
      },
    },
  })
  const routes = [{ match: { prefix: '/' }, direct_response: { status: 200, body: { inline_string: BODY } } }]
  const manager = typed('filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'in',
    codec_type: 'HTTP1',
    route_config: { name: 'routes', virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: typed('filters.http.router.v3.Router') }],
  })
  const chain = {
    transport_socket: { name: 'envoy.transport_sockets.tls', typed_config: tls },
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }],
  }
  const address = { socket_address: { address: '127.0.0.1', port_value: port } }
  return { static_resources: { listeners: [{ name: 'in', address, filter_chains: [chain] }] } }
}
