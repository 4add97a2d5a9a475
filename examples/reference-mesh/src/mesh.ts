import { readFileSync } from 'node:fs'
import type { Diagnostic } from '@heddle/runtime'
import type { Call, CallReport, Counters } from './app.js'
import { type Change, type Changes, createChanges } from './changes.js'
import {
  type Answer,
  ask,
  askJson,
  askTls,
  type CommandOutput,
  type MetricSample,
  parseMetrics,
  plaintextTo,
  runHeddle,
  sleep,
  type TlsAnswer,
  until,
} from './outside.js'
import type { Pod } from './pods.js'
import type { Program } from './processes.js'
import { type Cast, prepareStage, type Stage, startCast } from './stage.js'

/** The running mesh, as the scenes use it. Workloads go by the names of their Deployments. */
export interface ReferenceMesh extends Omit<Changes, 'whenSynced'> {
  /** The watched configuration folder. Edit it. */
  readonly folder: string
  readonly apps: readonly string[]
  /** Workloads with a proxy: the apps and the gateway. */
  readonly proxies: readonly string[]
  /** What listens where, for people: control plane, gateway, admin pages. */
  readonly addresses: Readonly<Record<string, string>>
  /** The way out of each app. */
  readonly httpProxies: Readonly<Record<string, string>>
  /** Has an app call another, through its sidecar. */
  call(from: string, call: Call): Promise<CallReport>
  /** Where the gateway takes plain HTTP, on this machine. */
  readonly gatewayPort: number
  /** A request from outside, through the gateway. */
  outside(host: string, path: string): Promise<Answer>
  /** The same over TLS. Rejects when the gateway cannot prove that it is `host`. */
  outsideTls(host: string, path: string): Promise<TlsAnswer>
  counters(app: string): Promise<Counters>
  /** Speaks plaintext to the inbound port of an app's sidecar. */
  plaintext(app: string): Promise<{ refused: boolean; what: string }>
  /** The first line of the proxy's log that is wanted; undefined when none comes. */
  waitForLog(proxy: string, wanted: (line: string) => boolean): Promise<string | undefined>
  waitForDiagnostics(pick: (all: readonly Diagnostic[]) => Diagnostic[]): Promise<Diagnostic[]>
  metrics(proxy: string, name: string): Promise<MetricSample[]>
  restartControlPlane(): Promise<Change>
  heddle(args: readonly string[]): Promise<CommandOutput>
  sleep(ms: number): Promise<void>
  /** Asks `get` until `good`; rejects after 15 s, naming what it waited for. */
  until: typeof until
  stop(): Promise<void>
}

const GATEWAY = 'istio-ingressgateway'
const url = (port: number): string => `http://127.0.0.1:${port}`

/** Starts the whole mesh and resolves when every proxy serves. `started` hears of each step. */
export async function startReferenceMesh(started: (what: string) => void): Promise<ReferenceMesh> {
  const stage = await prepareStage()
  return meshOf(stage, await startCast(stage, started))
}

function meshOf(stage: Stage, { sidecars, restartControlPlane }: Cast): ReferenceMesh {
  const { pods, controlPlane } = stage
  const { whenSynced, ...changes } = createChanges(stage)
  const withApp = pods.filter((pod) => pod.app !== undefined)
  const podOf = (name: string): Pod => pods.find((pod) => pod.name === name) ?? unknown(name)
  const sidecarOf = (name: string): Program => sidecars.get(name) ?? unknown(name)
  const adminOf = (proxy: string): string => `http://${String(sidecarOf(proxy).ready['admin'])}`
  const gateway = url(podOf(GATEWAY).ports.inbound)
  const diagnostics = (): Promise<Diagnostic[]> => askJson<Diagnostic[]>(`${controlPlane.url}/debug/diagnostics`)

  return {
    ...changes,
    folder: stage.config,
    apps: withApp.map((pod) => pod.name),
    proxies: pods.map((pod) => pod.name),
    addresses: {
      'control plane': controlPlane.url,
      gateway,
      'gateway TLS': `127.0.0.1:${podOf(GATEWAY).ports.https}`,
      ...Object.fromEntries(pods.map(({ name }) => [`admin of ${name}`, adminOf(name)])),
    },
    httpProxies: Object.fromEntries(withApp.map(({ name, ports }) => [name, url(ports.httpProxy)])),
    call: (from, call) =>
      askJson<CallReport>(`${url(podOf(from).ports.app)}/call`, { method: 'POST', body: JSON.stringify(call) }),
    gatewayPort: Number(new URL(gateway).port),
    outside: (host, path) => ask(`${gateway}${path}`, { headers: { host } }),
    outsideTls: (host, path) => askTls(podOf(GATEWAY).ports.https ?? 0, host, path, stage.site.root),
    counters: (app) => askJson<Counters>(`${url(podOf(app).ports.app)}/counters`),
    plaintext: (app) => plaintextTo(podOf(app).ports.inbound),
    waitForLog: async (proxy, wanted) => {
      const find = async (): Promise<string | undefined> =>
        readFileSync(sidecarOf(proxy).logFile, 'utf8').split('\n').find(wanted)
      return until(find, (line) => line !== undefined, 'a line in the log').catch(() => undefined)
    },
    waitForDiagnostics: (pick) =>
      until(
        async () => pick(await diagnostics()),
        (found) => found.length > 0,
        'a diagnostic',
      ).catch(() => []),
    metrics: async (proxy, name) => parseMetrics((await ask(`${adminOf(proxy)}/stats/prometheus`)).body, name),
    restartControlPlane: () => whenSynced(restartControlPlane),
    heddle: runHeddle,
    sleep,
    until,
    stop: () => stage.programs.stopAll(),
  }
}

function unknown(name: string): never {
  throw new Error(`there is no ${name} in the mesh`)
}
