import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTokenIssuer } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import { gatewayPod, type Pod, podsOf, TOKEN_AUDIENCE, TOKEN_ISSUER, workloadYaml } from './pods.js'
import { createPorts } from './ports.js'
import { createPrograms, type Program, type Programs } from './processes.js'
import { createSite, type Site } from './site.js'

/** What a cluster and its kubelets would have prepared: folders, pods with their ports, tokens. Gone when the demo ends. */
export interface Stage {
  readonly home: string
  /** The watched configuration. */
  readonly config: string
  readonly pods: readonly Pod[]
  readonly programs: Programs
  /** Where a program outside the mesh listens. */
  readonly outsidePort: number
  /** Who answers at https://apps.example. */
  readonly site: Site
  readonly controlPlane: { readonly url: string; readonly env: Readonly<Record<string, string>> }
  /** Environment of the pod's sidecar. */
  sidecarEnv(pod: Pod): Promise<Record<string, string>>
}

/** The programs of a stage, running. */
export interface Cast {
  /** By the name of the pod. */
  readonly sidecars: ReadonlyMap<string, Program>
  /** Kills the control plane without a warning and starts it again. */
  restartControlPlane(): Promise<void>
}

const TOKEN_TTL_MS = 24 * 3_600_000

export const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export async function prepareStage(): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'heddle-mesh-'))
  process.once('exit', () => rmSync(home, { recursive: true, force: true }))
  const [config, run, logs] = ['config', 'run', 'logs'].map((name) => join(home, name)) as [string, string, string]
  for (const path of [run, logs]) mkdirSync(path)
  cpSync(here('../config'), config, { recursive: true })
  const ports = createPorts()
  const pods = [...(await podsOf(join(config, 'apps.yaml'), ports)), await gatewayPod(ports)]
  writeFileSync(join(config, 'workloads.yaml'), pods.map(workloadYaml).join('---\n'))
  // Kubernetes signs the tokens of service accounts; the control plane knows its public key.
  const tokens = await createTokenIssuer({ clock: systemClock, issuer: TOKEN_ISSUER, audience: TOKEN_AUDIENCE })
  const jwksFile = join(run, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify(tokens.jwks))
  const site = await createSite('apps.example')
  writeFileSync(join(config, 'site.yaml'), await site.secretYaml())
  const outsidePort = await ports.next()
  const [grpcPort, httpPort] = [String(await ports.next()), String(await ports.next())]
  const env = { CONFIG_FOLDER: config, RUN_FOLDER: run, JWKS_FILE: jwksFile, GRPC_PORT: grpcPort, HTTP_PORT: httpPort }
  return {
    home,
    config,
    pods,
    programs: createPrograms(logs),
    outsidePort,
    site,
    controlPlane: { url: `http://127.0.0.1:${httpPort}`, env },
    async sidecarEnv(pod) {
      const tokenFile = join(run, `${pod.name}.token`)
      writeFileSync(tokenFile, await tokens.issue(pod, TOKEN_TTL_MS), { mode: 0o600 })
      return {
        ...pod.proxyEnv,
        PROXY_TYPE: pod.app === undefined ? 'router' : 'sidecar',
        DISCOVERY_ADDRESS: `127.0.0.1:${grpcPort}`,
        ROOT_CERT_FILE: join(run, 'root-cert.pem'),
        TOKEN_FILE: tokenFile,
      }
    },
  }
}

/** Starts everything, each in a process of its own, and resolves when every proxy serves. `started` hears of each step. */
export async function startCast(stage: Stage, started: (what: string) => void): Promise<Cast> {
  const { programs, pods } = stage
  const startControlPlane = (): Promise<Program> => programs.start('control-plane', './control-plane.js', stage.controlPlane.env)
  const sidecars = new Map<string, Program>()
  const startPod = async (pod: Pod): Promise<void> => {
    if (pod.app !== undefined) await programs.start(pod.app, './app.js', appEnv(pod, pod.app))
    sidecars.set(pod.name, await programs.start(pod.name, './sidecar.js', await stage.sidecarEnv(pod)))
    started(pod.app === undefined ? pod.name : `${pod.name} and its app`)
  }
  try {
    let controlPlane = await startControlPlane()
    started('control plane')
    await programs.start('outside', './app.js', { APP_NAME: 'outside', PORT: String(stage.outsidePort) })
    await Promise.all(pods.map(startPod))
    const restartControlPlane = async (): Promise<void> => {
      await controlPlane.kill('SIGKILL')
      controlPlane = await startControlPlane()
    }
    return { sidecars, restartControlPlane }
  } catch (error) {
    await programs.stopAll()
    throw error
  }
}

/** All that the app learns of the mesh: the proxy that its environment names. */
function appEnv({ ports }: Pod, name: string): Record<string, string> {
  return { APP_NAME: name, PORT: String(ports.app), HTTP_PROXY: `http://127.0.0.1:${ports.httpProxy}` }
}
