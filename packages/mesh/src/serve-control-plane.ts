import { Server, ServerCredentials } from '@grpc/grpc-js'
import {
  type Authenticator,
  type CertificateAuthority,
  createServerCertificate,
  type OwnSvidOptions,
  type Revocations,
  verifyOwnSvid,
  type WorkloadCertificate,
} from '@heddle/ca'
import { createCertificateService, createServerCredentials } from '@heddle/ca/grpc'
import { createStore, type MeshConfig, type OriginIndex, type Store } from '@heddle/config-model'
import { watchDirectory } from '@heddle/config-model/sources'
import {
  type Clock,
  createMetricsRegistry,
  type Diagnostic,
  type Logger,
  ok,
  systemClock,
  systemRandom,
  type Watch,
} from '@heddle/runtime'
import type { PilotFeatures } from '@heddle/translator'
import { type Authenticate, addReflectionService, addXdsService, SERVER_CHANNEL_OPTIONS } from '@heddle/xds-server/grpc'
import { IstioCertificateService } from '@heddle/xds-types/istio/v1/auth'
import type { ConfigSource, OpenConfig } from './cluster-source.js'
import { type ControlPlane, createControlPlane } from './control-plane.js'
import { type DebugServer, serveDebugPages } from './debug-pages.js'
import { guardedGet } from './guarded-get.js'
import { createJwksFetcher } from './jwks-fetcher.js'
import { type Federation, followFederation, publishedBundle } from './mesh-trust.js'

export interface ServeControlPlaneOptions {
  /** Folder of YAML, watched; or another source, such as {@link clusterConfig}. */
  readonly config: string | OpenConfig
  /** Laid under what the folder's ConfigMap `istio` says; default Istio's defaults. */
  readonly meshConfig?: MeshConfig
  /** `host:port` for plaintext xDS; nobody is asked who they are. Undefined: none. */
  readonly grpcAddress?: string
  /** `host:port` for xDS and certificates over TLS. Needs `authority` and `authenticate`. Undefined: none. */
  readonly secureGrpcAddress?: string
  /** `host:port` for readiness, debug pages and metrics. Undefined: none. */
  readonly httpAddress?: string
  readonly authority?: CertificateAuthority
  /** Proves callers of the TLS listener, for xDS and for certificates alike. */
  readonly authenticate?: Authenticator
  /** Names in the server certificate besides `istiod.istio-system.svc` and 127.0.0.1. */
  readonly serverNames?: readonly string[]
  /** Default: the mesh config's. */
  readonly trustDomain?: string
  /** Certificates of the authority that prove nobody any more; default: none. */
  readonly revocations?: Pick<Revocations, 'isRevoked'>
  /** See {@link ControlPlaneOptions}. */
  readonly features?: PilotFeatures
  readonly clock?: Clock
  readonly logger?: Logger
}

/** A control plane that serves. Addresses are those that were bound: port 0 has become the free one. */
export interface ServedControlPlane {
  readonly controlPlane: ControlPlane
  readonly store: Store
  readonly diagnostics: Watch<readonly Diagnostic[]>
  readonly origins: OriginIndex
  readonly addresses: { readonly grpc?: string; readonly secureGrpc?: string; readonly http?: string }
  close(): Promise<void>
}

/** A folder that people write: nobody there says which pods run behind a Service, as a cluster does. */
function openConfig({ config, clock = systemClock, logger }: ServeControlPlaneOptions, store: Store): Promise<ConfigSource> {
  if (typeof config === 'string') return watchDirectory(config, { store, clock })
  return config(store, { clock, ...(logger === undefined ? {} : { logger }) })
}

/** Reads and follows the configuration, and serves what follows from it. Rejects when the folder cannot be read or an address cannot be bound. */
export async function serveControlPlane(options: ServeControlPlaneOptions): Promise<ServedControlPlane> {
  const { clock = systemClock, logger } = options
  const metrics = createMetricsRegistry()
  const store = createStore({
    metrics,
    endpointsFromPods: typeof options.config === 'string',
    ...(options.meshConfig === undefined ? {} : { meshConfig: options.meshConfig }),
  })
  const source = await openConfig(options, store)
  const controlPlane = createControlPlane({
    store,
    clock,
    metrics,
    jwks: (changed) =>
      createJwksFetcher({ get: guardedGet, clock, random: systemRandom, changed, ...(logger === undefined ? {} : { logger }) }),
    ...(options.features === undefined ? {} : { features: options.features }),
    ...(logger === undefined ? {} : { logger }),
  })
  const told = { diagnostics: source.diagnostics, origins: source.origins }
  const servers: Server[] = []
  let debug: DebugServer | undefined
  let certificate: WorkloadCertificate | undefined
  let federation: Federation | undefined
  const close = async (): Promise<void> => {
    await source.close()
    certificate?.close()
    federation?.close()
    controlPlane.close()
    await Promise.all([...servers.map(shutDown), debug?.close()])
  }
  try {
    const addresses: { grpc?: string; secureGrpc?: string; http?: string } = {}
    if (options.grpcAddress !== undefined) {
      const server = new Server(SERVER_CHANNEL_OPTIONS)
      servers.push(server)
      addXdsService(server, controlPlane.xds)
      addReflectionService(server)
      addresses.grpc = await bind(server, options.grpcAddress, ServerCredentials.createInsecure())
    }
    if (options.secureGrpcAddress !== undefined) {
      const server = new Server(SERVER_CHANNEL_OPTIONS)
      servers.push(server)
      const { snapshots } = controlPlane
      federation = followFederation({ snapshots, clock, random: systemRandom, ...(logger === undefined ? {} : { logger }) })
      certificate = addSecureServices(server, controlPlane, federation, options)
      await certificate.ready()
      addresses.secureGrpc = await bind(
        server,
        options.secureGrpcAddress,
        createServerCredentials({ ...certificate, clientCertificates: 'optional' }),
      )
    }
    if (options.httpAddress !== undefined) {
      const { authority, trustDomain = store.snapshot().meshConfig.trustDomain } = options
      const bundle = authority === undefined ? {} : { bundle: publishedBundle(authority, trustDomain, clock) }
      debug = await serveDebugPages(options.httpAddress, { controlPlane, metrics, ...told, ...bundle })
      addresses.http = debug.address
    }
    return { controlPlane, store, ...told, addresses, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Adds xDS and certificates to the server; gives the server's own certificate, which renews itself. */
function addSecureServices(
  server: Server,
  { xds, snapshots }: ControlPlane,
  federation: Federation,
  options: ServeControlPlaneOptions,
): WorkloadCertificate {
  const { authority, authenticate, revocations, serverNames = [], clock = systemClock } = options
  const trustDomain = options.trustDomain ?? snapshots.current.meshConfig.trustDomain
  if (authority === undefined || authenticate === undefined)
    throw new Error('a TLS listener needs an authority and an authenticator')
  const trust = { authority, trustDomain, clock, ...(revocations === undefined ? {} : { revocations }) }
  addXdsService(server, xds, { authenticate: identify(authenticate, trust) })
  addReflectionService(server, { services: [IstioCertificateService] })
  createCertificateService({ ...trust, authenticate, federatedRoots: federation.roots }).addTo(server)
  const names = [{ dns: 'istiod.istio-system.svc' }, { ip: '127.0.0.1' }, ...serverNames.map((dns) => ({ dns }))]
  return createServerCertificate({ authority, names, clock, random: systemRandom })
}

/** What proves a caller to the CA proves it to the xDS server: a token, or a certificate that the CA has issued and not taken back. */
export function identify(authenticate: Authenticator, trust: OwnSvidOptions): Authenticate {
  return async ({ address, authorization, certificate }) => {
    const svid = certificate && verifyOwnSvid(certificate, trust)
    const caller = await authenticate({ address, authorization, uris: svid === undefined ? [] : [svid.spiffeId] })
    return caller.ok ? ok({ id: caller.value.identities[0] ?? '' }) : caller
  }
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) =>
      error === null ? resolve(address.replace(/:\d+$/, `:${port}`)) : reject(error),
    )
  })
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => server.tryShutdown(() => resolve()))
}
