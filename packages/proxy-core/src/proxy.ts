import {
  createMetricsRegistry,
  createWatch,
  formatDiagnostic,
  type Logger,
  type MetricsRegistry,
  silentLogger,
  systemClock,
  systemRandom,
  type Watch,
} from '@heddle/runtime'
import { logLevelActions } from './admin/log-level.js'
import type { AdminActions, Answer, ServerState } from './admin/page.js'
import { answerAdmin } from './admin/server.js'
import { shareOf, viewsWithShares, type WorkerShare } from './admin/worker-share.js'
import { type Assembly, assemble } from './assembly.js'
import { type ProxyBootstrap, parseBootstrap } from './bootstrap.js'
import type { ExplainConfig } from './explain/explain.js'
import type { SocketAddress } from './net/connection.js'
import { createFileSinks } from './observe/file-sinks.js'
import { type ProxyOptions, ProxyStartError } from './proxy-options.js'
import type { XdsStatus } from './xds/client.js'

export interface ListenerAddress {
  readonly name: string
  /** As bound: port 0 has become the one that was free. */
  readonly address: SocketAddress
}

export interface ProxyServer {
  /** Binds and connects. Rejects with {@link ProxyStartError} when static resources cannot be put into force. */
  start(): Promise<void>
  /** Everything that was configured first is in force; false again once draining begins. */
  readonly ready: Watch<boolean>
  readonly adminAddress: SocketAddress | undefined
  readonly listeners: readonly ListenerAddress[]
  readonly stats: MetricsRegistry
  /** Undefined without a management server. */
  readonly xds: XdsStatus | undefined
  /** What `/config_dump` shows, as canonical JSON; private keys are left out. */
  configDump(): unknown
  /**
   * What the admin interface says to a request. `others`: what further processes of the same proxy have counted, see {@link share};
   * it is added. Throws before `start`.
   */
  answerAdmin(method: string, url: string, others?: readonly WorkerShare[]): Answer
  /** What this process has counted. Throws before `start`. */
  share(): WorkerShare
  /** What is in force now, for `explain`. */
  readonly inForce: ExplainConfig
  /** Takes no new connections; resolves when the last one has ended, at the latest after the drain time. */
  drain(): Promise<void>
  close(): Promise<void>
  /** Resolves when the proxy has closed, for whatever reason. */
  readonly closed: Promise<void>
}

const NOTHING: ExplainConfig = { listeners: [], routes: () => undefined, clusters: () => undefined, endpoints: () => undefined }

/** A proxy under Envoy's configuration. Throws {@link ProxyStartError} when the bootstrap cannot be read. */
export function createProxy(options: ProxyOptions): ProxyServer {
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options
  const stats = options.stats ?? createMetricsRegistry()
  const bootstrap = readBootstrap(options.bootstrap, logger)
  const files = createFileSinks({ clock, logger })
  const sinks = options.accessLogSinks ?? files.sinkFor
  const healthy = createWatch(true)
  const ready = createWatch(false)
  let running: Assembly | undefined
  let draining = false
  let announceClosed = (): void => {}
  const closed = new Promise<void>((resolve) => {
    announceClosed = resolve
  })

  const state = (): ServerState => {
    if (draining || !healthy.current) return 'DRAINING'
    return ready.current ? 'LIVE' : running === undefined ? 'PRE_INITIALIZING' : 'INITIALIZING'
  }
  const drain = async (): Promise<void> => {
    draining = true
    ready.set(false)
    await running?.listeners.drain()
  }
  const close = async (): Promise<void> => {
    draining = true
    ready.set(false)
    await running?.close()
    await files.flush()
    announceClosed()
  }

  const actions: AdminActions = {
    // The server is as it was: only its listeners leave.
    drainListeners: (options) => void running?.listeners.drain(options),
    quit: () => void close(),
    setHealthy: (value) => healthy.set(value),
    ...logLevelActions(logger),
  }
  const started = (): Assembly => {
    if (running === undefined) throw new Error('start() was not called')
    return running
  }

  return {
    async start() {
      if (running !== undefined) throw new Error('start() was called before')
      running = await assemble({
        ...{ options, bootstrap, clock, random, logger, stats, sinks, ready, state },
        healthy: () => healthy.current,
      })
      try {
        await running.begin(actions)
      } catch (error) {
        await close()
        throw error
      }
    },
    ready,
    get adminAddress() {
      return running?.adminAddress
    },
    get listeners() {
      return running?.listeners.listeners.map(({ name, address }) => ({ name, address })) ?? []
    },
    stats,
    get xds() {
      return running?.xds
    },
    configDump: () => running?.configDump() ?? {},
    answerAdmin: (method, url, others = []) => answerAdmin(method, url, viewsWithShares(started().views, others), actions),
    share: () => shareOf(started().views),
    get inForce() {
      return running?.inForce ?? NOTHING
    },
    drain,
    close,
    closed,
  }
}

/** Reads the bootstrap, and says aloud what of it has no effect. */
function readBootstrap(input: unknown, logger: Logger): ProxyBootstrap {
  const parsed = parseBootstrap(input)
  if (!parsed.ok) throw new ProxyStartError(parsed.diagnostics.map(formatDiagnostic))
  for (const { path, message, code } of parsed.diagnostics) logger.warn({ path, code }, message)
  return parsed.value
}
