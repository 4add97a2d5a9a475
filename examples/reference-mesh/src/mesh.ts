import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTokenIssuer } from '@heddle/ca'
import { type Diagnostic, systemClock } from '@heddle/runtime'
import type { Call, CallReport, Counters } from './app.js'
import type { SyncStatus } from './control-plane.js'
import {
  type Answer,
  ask,
  askJson,
  type CommandOutput,
  type MetricSample,
  parseMetrics,
  plaintextTo,
  runHeddle,
  sleep,
  until,
} from './outside.js'
import { gatewayPod, type Pod, podsOf, TOKEN_AUDIENCE, TOKEN_ISSUER, workloadYaml } from './pods.js'
import { createPorts } from './ports.js'
import { createPrograms, type Program } from './processes.js'

/** What a change of configuration took: from writing the file to the last proxy's ACK. */
export interface Change {
  readonly ms: number
  readonly acks: number
}

/** The running mesh, as the scenes use it. */
export interface ReferenceMesh {
  /** The watched configuration folder. Edit it. */
  readonly folder: string
  readonly apps: readonly string[]
  /** Workloads with a proxy: the apps and the gateway. */
  readonly proxies: readonly string[]
  /** Name -> address, for people: control plane, gateway, admin pages. */
  readonly addresses: Readonly<Record<string, string>>
  readonly httpProxies: Readonly<Record<string, string>>
  call(from: string, call: Call): Promise<CallReport>
  outside(host: string, path: string): Promise<Answer>
  counters(app: string): Promise<Counters>
  /** Puts a file of scenes/ in place and waits until every proxy has acknowledged what follows from it. */
  apply(target: string, scene: string): Promise<Change>
  /** Puts it in place and waits for nothing. */
  copy(target: string, scene: string): Promise<void>
  remove(target: string): Promise<Change>
  /** Removes a file of which nothing was in force. */
  discard(target: string): void
  plaintext(app: string): Promise<{ refused: boolean; what: string }>
  waitForLog(proxy: string, wanted: (line: string) => boolean): Promise<string | undefined>
  waitForDiagnostics(pick: (all: readonly Diagnostic[]) => Diagnostic[]): Promise<Diagnostic[]>
  metrics(proxy: string, name: string): Promise<MetricSample[]>
  restartControlPlane(): Promise<Change>
  heddle(args: readonly string[]): Promise<CommandOutput>
  sleep(ms: number): Promise<void>
  stop(): Promise<void>
}

const TOKEN_TTL_MS = 24 * 3_600_000

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** Starts everything, each in a process of its own, and resolves when every proxy serves. `started` hears of each step. */
export async function startReferenceMesh(started: (what: string) => void): Promise<ReferenceMesh> {
  const home = mkdtempSync(join(tmpdir(), 'heddle-mesh-'))
  const [folder, run, logs] = ['config', 'run', 'logs'].map((name) => join(home, name)) as [string, string, string]
  process.once('exit', () => rmSync(home, { recursive: true, force: true }))
  for (const path of [run, logs]) mkdirSync(path)
  cpSync(here('../config'), folder, { recursive: true })
  const ports = createPorts()
  const pods = [...(await podsOf(join(folder, 'apps.yaml'), ports)), await gatewayPod(ports)]
  writeFileSync(join(folder, 'workloads.yaml'), pods.map(workloadYaml).join('---\n'))
  // The part of Kubernetes: it signs the tokens of service accounts, and the control plane knows its public key.
  const tokens = await createTokenIssuer({ clock: systemClock, issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE })
  const jwksFile = join(run, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify(tokens.jwks))
  const programs = createPrograms(logs)
  const [grpcPort, httpPort] = [await ports.next(), await ports.next()]
  const controlPlaneEnv = {
    CONFIG_FOLDER: folder,
    RUN_FOLDER: run,
    JWKS_FILE: jwksFile,
    GRPC_PORT: String(grpcPort),
    HTTP_PORT: String(httpPort),
  }
  let controlPlane = await programs.start('control-plane', './control-plane.js', controlPlaneEnv)
  started('control plane')

  const startPod = async (pod: Pod): Promise<Program> => {
    if (pod.app !== undefined) {
      await programs.start(pod.app, './app.js', {
        APP_NAME: pod.app,
        PORT: String(pod.ports.app),
        HTTP_PROXY: `http://127.0.0.1:${pod.ports.httpProxy}`,
      })
    }
    const tokenFile = join(run, `${pod.name}.token`)
    writeFileSync(tokenFile, await tokens.issue(pod, TOKEN_TTL_MS), { mode: 0o600 })
    const sidecarEnv = {
      ...pod.proxyEnv,
      PROXY_TYPE: pod.app === undefined ? 'router' : 'sidecar',
      DISCOVERY_ADDRESS: `127.0.0.1:${grpcPort}`,
      ROOT_CERT_FILE: join(run, 'root-cert.pem'),
      TOKEN_FILE: tokenFile,
    }
    const sidecar = await programs.start(pod.name, './sidecar.js', sidecarEnv)
    started(pod.app === undefined ? pod.name : `${pod.name} and its app`)
    return sidecar
  }
  const sidecars = new Map<string, Program>()
  await Promise.all(pods.map(async (pod) => sidecars.set(pod.name, await startPod(pod)))).catch(async (error: unknown) => {
    await programs.stopAll()
    throw error
  })

  const podOf = (name: string): Pod => pods.find((pod) => pod.name === name) ?? fail(name)
  const control = `http://127.0.0.1:${httpPort}`
  const adminOf = (proxy: string): string => `http://${String(sidecars.get(proxy)?.ready['admin'] ?? fail(proxy))}`
  const status = (): Promise<SyncStatus> => askJson<SyncStatus>(`${control}/debug/syncz`)
  const synced = (now: SyncStatus, after: number): boolean =>
    now.settled > after && now.proxies.length === pods.length && now.proxies.every((proxy) => proxy.synced)

  /** Runs `change` and waits until all proxies have what follows from it. */
  const measure = async (change: () => void): Promise<Change> => {
    const before = (await status()).settled
    const start = performance.now()
    change()
    const now = await until(status, (s) => synced(s, before), 'every proxy acknowledges the change')
    return { ms: performance.now() - start, acks: now.proxies.length }
  }
  /** By rename, so that no reader meets half a file. */
  const put = (target: string, scene: string): void => {
    const draft = join(home, 'draft.yaml')
    cpSync(here(`../scenes/${scene}`), draft)
    renameSync(draft, join(folder, target))
  }

  return {
    folder,
    apps: pods.flatMap((pod) => (pod.app === undefined ? [] : [pod.name])),
    proxies: pods.map((pod) => pod.name),
    addresses: {
      'control plane': control,
      gateway: `http://127.0.0.1:${podOf('istio-ingressgateway').ports.inbound}`,
      ...Object.fromEntries(pods.map((pod) => [`admin of ${pod.name}`, adminOf(pod.name)])),
    },
    httpProxies: Object.fromEntries(
      pods.flatMap((pod) => (pod.app === undefined ? [] : [[pod.name, `http://127.0.0.1:${pod.ports.httpProxy}`]])),
    ),
    call: (from, call) =>
      askJson<CallReport>(`http://127.0.0.1:${podOf(from).ports.app}/call`, { method: 'POST', body: JSON.stringify(call) }),
    outside: (host, path) => ask(`http://127.0.0.1:${podOf('istio-ingressgateway').ports.inbound}${path}`, { headers: { host } }),
    counters: (app) => askJson<Counters>(`http://127.0.0.1:${podOf(app).ports.app}/counters`),
    apply: (target, scene) => measure(() => put(target, scene)),
    copy: async (target, scene) => put(target, scene),
    remove: (target) => measure(() => rmSync(join(folder, target))),
    discard: (target) => rmSync(join(folder, target), { force: true }),
    plaintext: (app) => plaintextTo(podOf(app).ports.inbound),
    waitForLog: async (proxy, wanted) => {
      const file = sidecars.get(proxy)?.logFile ?? fail(proxy)
      const find = async (): Promise<string | undefined> => readFileSync(file, 'utf8').split('\n').find(wanted)
      return until(find, (line) => line !== undefined, 'a line in the log').catch(() => undefined)
    },
    waitForDiagnostics: (pick) =>
      until(
        async () => pick(await askJson<Diagnostic[]>(`${control}/debug/diagnostics`)),
        (all) => all.length > 0,
        'a diagnostic',
      ).catch(() => []),
    metrics: async (proxy, name) => parseMetrics((await ask(`${adminOf(proxy)}/stats/prometheus`)).body, name),
    restartControlPlane: async () => {
      const start = performance.now()
      await controlPlane.kill('SIGKILL')
      controlPlane = await programs.start('control-plane', './control-plane.js', controlPlaneEnv)
      const ms = performance.now() - start
      const now = await until(status, (s) => synced(s, -1), 'every proxy is back')
      return { ms, acks: now.proxies.length }
    },
    heddle: runHeddle,
    sleep,
    stop: () => programs.stopAll(),
  }
}

function fail(name: string): never {
  throw new Error(`there is no ${name} in the mesh`)
}
