import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { Server as HttpServer } from 'node:http'
import { join, resolve } from 'node:path'
import {
  type Clock,
  createMetricsRegistry,
  createWatch,
  type Logger,
  type MetricsRegistry,
  type Random,
  renderPrometheus,
  silentLogger,
  systemClock,
  systemRandom,
  type Watch,
} from '@heddle/runtime'
import { bootstrapFor } from '@heddle/translator'
import type { AppProbe } from './app-probes.js'
import { type ProxyBinary, type ProxyLogging, proxyCommand } from './command-line.js'
import { type ControlPlaneAccess, connectControlPlane } from './control-plane.js'
import { createDnsProxy, type DnsOptions, type DnsProxy, type DnsProxyOptions } from './dns/proxy.js'
import { drainEnvoy, drainListeners } from './drain.js'
import type { AppScrape } from './metrics.js'
import { createReadiness, type Readiness } from './readiness.js'
import type { ProxySettings } from './settings.js'
import { createHealthServer, createStatusServer } from './status-server.js'
import { createSupervisor, type Supervisor } from './supervisor.js'

export interface AgentOptions {
  readonly settings: ProxySettings
  readonly binary: ProxyBinary
  readonly logging?: ProxyLogging
  /** How to reach and to believe the control plane. */
  readonly access: ControlPlaneAccess
  /** Merged metrics, readiness and the app's probes; default 15020, 0 takes a free port. */
  readonly statusPort?: number
  /** Readiness alone; default 15021, 0 takes a free port. */
  readonly healthPort?: number
  /** Envoy's page for Prometheus; default 15090. */
  readonly prometheusPort?: number
  readonly app?: AppScrape
  readonly probes?: Readonly<Record<string, AppProbe>>
  /** Where the app's probes go; default 127.0.0.1. */
  readonly appAddress?: string
  /** Of Envoy: where it logs the endpoints that it ejects; default nowhere. */
  readonly outlierLogPath?: string
  /** The DNS proxy; default none. */
  readonly dns?: DnsOptions
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
}

export interface Agent {
  /** Connects, waits for the first certificate, starts the proxy. Rejects where a port or socket is taken. */
  start(): Promise<void>
  /** Undefined: the proxy takes traffic; else why it does not. */
  notReady(): Promise<string | undefined>
  /** The proxy's process id; undefined while it is away. */
  readonly proxy: Watch<number | undefined>
  readonly ports: { readonly status: number; readonly health: number | undefined; readonly dns?: number }
  /** Lets open connections end, `drainDuration` at most, and ends the proxy and the agent. */
  drain(): Promise<void>
  /** Ends all at once. */
  close(): Promise<void>
  /** Somebody asked for the end by `POST /quitquitquit`. */
  readonly quit: Watch<boolean>
}

/** What pilot-agent is beside Envoy: it makes the bootstrap, holds the certificate, keeps the proxy running, and tells how it is. */
export function createAgent(options: AgentOptions): Agent {
  const { settings, binary, clock = systemClock, random = systemRandom, logger = silentLogger } = options
  const { proxyConfig } = settings
  const folder = resolve(proxyConfig.configPath)
  const admin = adminOf(settings)
  const quit = createWatch(false)
  let draining = false
  const servers: HttpServer[] = []

  const supervisor = createSupervisor({
    ...proxyCommand(binary, join(folder, 'envoy-rev.json'), settings, options.logging),
    ...{ clock, random, logger },
  })
  const metrics = createMetricsRegistry()
  const dns = dnsProxyOf(options, { clock, random, logger, metrics })
  const readiness = createReadiness({
    ...{ admin, running: supervisor.running, draining: () => draining },
    waitsFor: () => dns?.notReady(),
  })
  const control = connectControlPlane({
    access: options.access,
    sockets: folder,
    onAnswered: readiness.answered,
    ...(dns === undefined ? {} : { names: dns.names }),
    ...{ clock, random, logger },
  })
  const close = async (): Promise<void> => {
    draining = true
    await supervisor.stop('SIGKILL', 0)
    await Promise.all([dns?.close(), ...servers.map((server) => new Promise((done) => server.close(done)))])
    control.close()
    rmSync(join(folder, 'envoy-rev.json'), { force: true })
  }
  let ports: Agent['ports'] = { status: 0, health: undefined }

  return {
    async start() {
      mkdirSync(folder, { recursive: true })
      ports = await listenAll(options, { servers, readiness, supervisor, metrics, dns, quit: () => quit.set(true), logger })
      await control.ready()
      writeFileSync(join(folder, 'envoy-rev.json'), JSON.stringify(bootstrapOf(options, folder, ports)), { mode: 0o600 })
      if (!draining) supervisor.start()
    },
    notReady: readiness.notReady,
    proxy: supervisor.running,
    get ports() {
      return ports
    },
    async drain() {
      draining = true
      if (binary.kind === 'envoy') await drainEnvoy({ admin, limitMs: settings.drainMs, clock })
      // Ours drains by itself.
      await supervisor.stop('SIGTERM', settings.drainMs + 1_000)
      await close()
    },
    close,
    quit,
  }
}

function dnsProxyOf(
  { settings, dns }: AgentOptions,
  shared: Pick<DnsProxyOptions, 'clock' | 'random' | 'logger' | 'metrics'>,
): DnsProxy | undefined {
  const { namespace, dnsDomain } = settings.proxy
  return dns === undefined ? undefined : createDnsProxy({ ...dns, namespace, domain: dnsDomain, ...shared })
}

/** The bootstrap's choice: IPv6 loopback where the pod has nothing else. */
function adminOf({ proxy, proxyConfig }: ProxySettings): string {
  const v6 = proxy.addresses.length > 0 && proxy.addresses.every((address) => address.includes(':'))
  return `http://${v6 ? '[::1]' : '127.0.0.1'}:${proxyConfig.proxyAdminPort}`
}

interface Beside {
  servers: HttpServer[]
  readiness: Readiness
  supervisor: Supervisor
  metrics: MetricsRegistry
  dns: DnsProxy | undefined
  quit(): void
  logger: Logger
}

async function listenAll(
  options: AgentOptions,
  { servers, readiness, supervisor, metrics, dns, quit, logger }: Beside,
): Promise<Agent['ports']> {
  const { notReady } = readiness
  const restarts = metrics.gauge('heddle_agent_proxy_restarts', 'How often the proxy had to be started again.').labels()
  const status = createStatusServer({
    notReady,
    ownMetrics() {
      restarts.set(supervisor.restarts)
      return renderPrometheus(metrics)
    },
    admin: adminOf(options.settings),
    app: options.app,
    probes: options.probes ?? {},
    appAddress: options.appAddress ?? '127.0.0.1',
    nameTable: () => dns?.table,
    quit,
    drain: () => drainListeners(adminOf(options.settings)),
    logger,
  })
  servers.push(status)
  const statusPort = await listen(status, options.statusPort ?? options.settings.proxyConfig.statusPort)
  const names = dns === undefined ? {} : { dns: await dns.listen() }
  // Envoy serves 15021 itself, so that it tells of Envoy's own listeners too; ours has no such listener.
  if (options.binary.kind === 'envoy') return { status: statusPort, health: undefined, ...names }
  const health = createHealthServer(notReady)
  servers.push(health)
  return { status: statusPort, health: await listen(health, options.healthPort ?? 15_021), ...names }
}

function listen(server: HttpServer, port: number): Promise<number> {
  return new Promise((done, reject) => {
    server.once('error', reject)
    server.listen(port, () => {
      const address = server.address()
      done(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

function bootstrapOf(
  { settings, binary, healthPort, prometheusPort, outlierLogPath }: AgentOptions,
  folder: string,
  ports: Agent['ports'],
): object {
  const { proxy, proxyConfig, connectTimeout } = settings
  const bootstrap = bootstrapFor(binary.kind, {
    proxy: { ...proxy, stockEnvoy: binary.stock === true },
    proxyConfig: { ...proxyConfig, statusPort: ports.status },
    xdsSocket: join(folder, 'XDS'),
    sdsSocket: join(folder, 'SDS'),
    ...(healthPort === undefined ? {} : { statusPort: healthPort }),
    ...(prometheusPort === undefined ? {} : { prometheusPort }),
  })
  const clusters = bootstrap.static_resources?.clusters?.map((cluster) =>
    cluster.name === 'xds-grpc' ? { ...cluster, connect_timeout: connectTimeout } : cluster,
  )
  return {
    ...bootstrap,
    static_resources: { ...bootstrap.static_resources, clusters },
    ...(outlierLogPath === undefined
      ? {}
      : { cluster_manager: { ...bootstrap.cluster_manager, outlier_detection: { event_log_path: outlierLogPath } } }),
  }
}
