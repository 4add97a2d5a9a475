import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import {
  compileResources,
  createProxy,
  createSnapshotFile,
  logLevelOf,
  type ProxyServer,
  ProxyStartError,
  parseBootstrap,
  type SnapshotStore,
  type SocketAddress,
} from '@heddle/proxy-core'
import { createJsonLogger, formatDiagnostic, type LogLevel, systemClock } from '@heddle/runtime'
import type { CommandLineOptions } from '@heddle/xds-types/envoy/admin/v3'
import { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import { type Arguments, type Command, EXIT, InputError, type Io, required, UsageError } from '../command.js'
import { readDocument, writeWhole } from '../files.js'
import { superviseWorkers } from '../proxy-workers/supervisor.js'
import { answerSupervisor, createWorkerNetwork, leaveSupervisor, workerIndex } from '../proxy-workers/worker.js'
import { VERSION } from '../version.js'

interface Bootstrap {
  node?: { id?: string; cluster?: string }
}

async function readBootstrap(args: Arguments, io: Io): Promise<Bootstrap> {
  const file = required(args, 'config-path')
  const bootstrap = (await readDocument(file, io)) as Bootstrap
  if (typeof bootstrap !== 'object' || bootstrap === null) throw new InputError(`${file} holds no bootstrap`)
  const id = args.string('service-node')
  const cluster = args.string('service-cluster')
  if (id === undefined && cluster === undefined) return bootstrap
  return {
    ...bootstrap,
    node: { ...bootstrap.node, ...(id === undefined ? {} : { id }), ...(cluster === undefined ? {} : { cluster }) },
  }
}

const LOG_LEVEL = 'info'

function levelOf(args: Arguments): LogLevel {
  const name = args.string('log-level') ?? LOG_LEVEL
  const level = logLevelOf(name)
  if (level === undefined)
    throw new UsageError(`--log-level takes trace, debug, info, warning, error, critical or off, not ${name}`)
  return level
}

/** Processes that serve; 0 is one for each core, as Envoy counts threads. */
function concurrencyOf(args: Arguments): number {
  const text = args.string('concurrency') ?? '1'
  const concurrency = Number(text)
  if (!Number.isInteger(concurrency) || concurrency < 0) throw new UsageError(`--concurrency takes a whole number, not ${text}`)
  return concurrency === 0 ? availableParallelism() : concurrency
}

function drainMs(args: Arguments): number | undefined {
  const text = args.string('drain-time-s')
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (!Number.isFinite(seconds) || seconds < 0) throw new UsageError(`--drain-time-s takes seconds, not ${text}`)
  return seconds * 1000
}

const DRAIN_TIME_S = 600

/** The flags as `/server_info` tells them, defaults too. */
function commandLineOptions(args: Arguments, concurrency: number, drainTimeMs = DRAIN_TIME_S * 1000): CommandLineOptions {
  return {
    concurrency,
    config_path: required(args, 'config-path'),
    mode: 'Serve',
    log_level: args.string('log-level') ?? LOG_LEVEL,
    admin_address_path: args.string('admin-address-path') ?? '',
    service_node: args.string('service-node') ?? '',
    service_cluster: args.string('service-cluster') ?? '',
    drain_time: `${drainTimeMs / 1000}s`,
    drain_strategy: 'Gradual',
  }
}

/** `envoy`, with its flags. */
export const proxy: Command = {
  name: 'proxy',
  summary: 'run the proxy under an Envoy v3 bootstrap',
  flags: {
    'config-path': { type: 'string', short: 'c', value: 'FILE', help: 'Envoy v3 bootstrap, YAML or JSON, static or ADS' },
    mode: { type: 'string', value: 'serve|validate', help: 'validate: check the bootstrap and leave (default serve)' },
    'admin-address-path': { type: 'string', value: 'FILE', help: 'gets the admin address once it is bound' },
    concurrency: { type: 'string', value: 'N', help: 'worker processes that share the listeners; 0: one a core (default 1)' },
    'service-node': { type: 'string', value: 'ID', help: 'node.id, over the bootstrap’s' },
    'service-cluster': { type: 'string', value: 'NAME', help: 'node.cluster, over the bootstrap’s' },
    'log-level': {
      type: 'string',
      short: 'l',
      value: 'LEVEL',
      help: `trace, debug, info, warning, error, critical or off (default ${LOG_LEVEL})`,
    },
    snapshot: {
      type: 'string',
      value: 'FILE',
      help: 'keeps the last good configuration there (0600), for starts while the management server is away',
    },
    'drain-time-s': { type: 'string', value: 'S', help: `how long SIGTERM lets connections finish (default ${DRAIN_TIME_S})` },
  },
  async run(args, io) {
    const mode = args.string('mode') ?? 'serve'
    if (mode !== 'serve' && mode !== 'validate') throw new UsageError(`--mode takes serve or validate, not ${mode}`)
    const workers = concurrencyOf(args)
    const drainTimeMs = drainMs(args)
    const snapshot = args.string('snapshot')
    const logger = createJsonLogger(io.err, systemClock, levelOf(args))
    const bootstrap = await readBootstrap(args, io)
    const index = workerIndex(io.env)
    const options = {
      bootstrap,
      logger,
      readFile: readIfThere,
      environment: io.env,
      readBytes: bytesIfThere,
      version: VERSION,
      commandLineOptions: commandLineOptions(args, workers, drainTimeMs),
      ...(snapshot === undefined ? {} : { snapshot: snapshotOf(snapshot, index) }),
      ...(index === undefined ? {} : { network: createWorkerNetwork(), adminElsewhere: true }),
      ...(drainTimeMs === undefined ? {} : { drainTimeMs }),
    }
    if (mode === 'validate') return validate(bootstrap, args, io)
    try {
      if (workers > 1 && index === undefined) return await supervise(workers, bootstrap, args, io)
      return await serve(createProxy(options), args, io)
    } catch (error) {
      if (!(error instanceof ProxyStartError)) throw error
      for (const reason of error.reasons) io.err(`heddle proxy: ${reason}\n`)
      return EXIT.findings
    } finally {
      if (index !== undefined) leaveSupervisor()
    }
  },
}

function readIfThere(path: string): string | undefined {
  return bytesIfThere(path)?.toString('utf8')
}

function bytesIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

/** Everything static, compiled as it would be at start; no address is bound. */
async function validate(bootstrap: Bootstrap, args: Arguments, io: Io): Promise<number> {
  const parsed = parseBootstrap(bootstrap)
  const messages = parsed.ok
    ? new Map<string, readonly object[]>([
        [Listener.typeUrl, parsed.value.listeners],
        [Cluster.typeUrl, parsed.value.clusters],
      ])
    : new Map<string, object[]>()
  const { diagnostics } = await compileResources(messages, { readFile: readIfThere, environment: io.env })
  const all = [...parsed.diagnostics, ...diagnostics]
  for (const diagnostic of all) io.err(`${formatDiagnostic(diagnostic)}\n`)
  if (all.some(({ severity }) => severity === 'error')) return EXIT.findings
  io.out(`configuration '${required(args, 'config-path')}' OK\n`)
  return EXIT.ok
}

/** All workers read it, the first one writes. */
function snapshotOf(path: string, index: number | undefined): SnapshotStore {
  const file = createSnapshotFile(path)
  return index === undefined || index === 0 ? file : { ...file, write: () => Promise.resolve() }
}

async function serve(server: ProxyServer, args: Arguments, io: Io): Promise<number> {
  // A proxy that neither listens nor asks anybody stays, as Envoy does: Node would leave, for a promise does not hold it.
  const { port1: alive } = new MessageChannel()
  alive.ref()
  try {
    await server.start()
    tellAdminAddress(server.adminAddress, args)
    const asked = io.stopped()
    const told = new Promise<void>((resolve) => {
      if (workerIndex(io.env) !== undefined) answerSupervisor(server, resolve)
    })
    await Promise.race([Promise.race([asked, told]).then(() => server.drain()), server.closed])
    await server.close()
    return EXIT.ok
  } finally {
    alive.close()
  }
}

function supervise(workers: number, bootstrap: Bootstrap, args: Arguments, io: Io): Promise<number> {
  const parsed = parseBootstrap(bootstrap)
  if (!parsed.ok) throw new ProxyStartError(parsed.diagnostics.map(formatDiagnostic))
  return superviseWorkers({
    workers,
    lost: (reason) => io.err(`heddle proxy: ${reason}: the others drain and leave\n`),
    admin: parsed.value.admin?.address,
    started: (admin) => tellAdminAddress(admin, args),
    stopped: () => io.stopped(),
  })
}

function tellAdminAddress(address: SocketAddress | undefined, args: Arguments): void {
  const file = args.string('admin-address-path')
  if (file !== undefined && address !== undefined) writeWhole(file, `${address.address}:${address.port}`)
}
