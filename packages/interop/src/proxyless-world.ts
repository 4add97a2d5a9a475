import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerCredentials } from '@grpc/grpc-js'
import { createSelfSignedAuthority, issueIdentity, workloadGrant } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import {
  type Applied,
  createLoadReports,
  createSnapshotCache,
  createXdsServer,
  type LoadReports,
  type XdsServer,
} from '@heddle/xds-server'
import { addLoadReportingService, type GrpcXdsServer, listenGrpc } from '@heddle/xds-server/grpc'
import type { ResourceGroup } from '@heddle/xds-types'
import { eventually } from './eventually.js'
import { freePorts } from './free-ports.js'
import { type Greeter, startGreeter } from './greeter.js'
import { AUTHORITY, PROVIDER, type TargetWish, targetGroups } from './proxyless.js'

export const NODE = 'proxyless-client'
const LISTENER = 'envoy.config.listener.v3.Listener'

/** A control plane for a proxyless client, and greeters `v1`, `v2` and `secure` (mutual TLS) for it to call. */
export interface ProxylessWorld {
  readonly bootstrap: object
  readonly reports: LoadReports
  /** By name. */
  readonly ports: Readonly<Record<string, number>>
  /** The SPIFFE ID of `secure`. */
  readonly secureIdentity: string
  /** Sets what a target leads to; the other targets stay. `first` counts before it, where names are the same. */
  give(target: string, wish: TargetWish, ...first: readonly ResourceGroup[]): void
  /** What became of what was given. */
  applied(): Promise<Applied>
  /** Resolves when the client has taken what was given; rejects when it has refused something. */
  settled(): Promise<void>
  /** Resolves when a greeter has answered a call more. */
  calledAgain(name: string): Promise<void>
  /** The server goes; what is returned brings up another at the same address, which knows nothing of the first. */
  outage(): Promise<() => Promise<void>>
  close(): Promise<void>
}

export async function createProxylessWorld(): Promise<ProxylessWorld> {
  const cache = createSnapshotCache()
  const reports = createLoadReports({ intervalSeconds: 0.2 })
  const folder = mkdtempSync(join(tmpdir(), 'heddle-proxyless-'))
  const secureIdentity = 'spiffe://cluster.local/ns/shop/sa/secure'
  const credentials = await mutualTlsOf(folder)
  const greeters: readonly Greeter[] = [
    await startGreeter('v1'),
    await startGreeter('v2'),
    await startGreeter('secure', credentials),
  ]
  const ports = Object.fromEntries(greeters.map(({ name, port }) => [name, port]))
  const groups = new Map<string, readonly ResourceGroup[]>()
  let server: XdsServer
  let listener: GrpcXdsServer

  const listen = async (port: number): Promise<void> => {
    server = createXdsServer({ resources: (node) => cache.watch(node.id) })
    listener = await listenGrpc(server, { address: `127.0.0.1:${port}`, drainMs: 200 })
    addLoadReportingService(listener.grpcServer, reports)
  }
  // It goes away and comes back.
  const [port = 0] = await freePorts(1)
  await listen(port)
  const world: ProxylessWorld = {
    ...{ reports, ports, secureIdentity },
    bootstrap: bootstrapOf(listener!.port, folder),
    give(target, wish, ...first) {
      groups.set(target, [...first, ...targetGroups(target, wish, ports)])
      cache.set(NODE, { groups: [...groups.values()].flat() })
    },
    applied: () => server.applied(),
    async settled() {
      const { applied, refused, left } = await server.applied()
      if (!applied.includes(NODE) || refused.length + left.length > 0) throw new Error(`not taken: ${JSON.stringify(refused)}`)
    },
    async calledAgain(name) {
      const answered = (): number => greeters.find((one) => one.name === name)?.answered ?? 0
      const before = answered()
      await eventually(answered, (now) => now > before)
    },
    async outage() {
      const { port } = listener
      await listener.close()
      return () => listen(port)
    },
    async close() {
      for (const greeter of greeters) greeter.close()
      await listener.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return world
}

function bootstrapOf(port: number, folder: string): object {
  const files = {
    certificate_file: join(folder, 'certificate.pem'),
    private_key_file: join(folder, 'key.pem'),
    ca_certificate_file: join(folder, 'roots.pem'),
    refresh_interval: '60s',
  }
  return {
    xds_servers: [{ server_uri: `127.0.0.1:${port}`, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
    authorities: { [AUTHORITY]: { client_listener_resource_name_template: `xdstp://${AUTHORITY}/${LISTENER}/%s` } },
    certificate_providers: { [PROVIDER]: { plugin_name: 'file_watcher', config: files } },
    node: { id: NODE, cluster: 'test', locality: { region: 'here' } },
  }
}

/** Writes the client's certificate, and gives what a server needs that asks for it. */
async function mutualTlsOf(folder: string): Promise<ServerCredentials> {
  const authority = await createSelfSignedAuthority({ clock: systemClock })
  const identityOf = (serviceAccount: string): ReturnType<typeof issueIdentity> =>
    issueIdentity(authority, workloadGrant({ trustDomain: 'cluster.local', namespace: 'shop', serviceAccount }))
  const [client, server] = [await identityOf('client'), await identityOf('secure')]
  writeFileSync(join(folder, 'certificate.pem'), client.certificateChain)
  writeFileSync(join(folder, 'key.pem'), client.privateKey)
  writeFileSync(join(folder, 'roots.pem'), client.trustBundle)
  const pair = { cert_chain: Buffer.from(server.certificateChain), private_key: Buffer.from(server.privateKey) }
  return ServerCredentials.createSsl(Buffer.from(server.trustBundle), [pair], true)
}
