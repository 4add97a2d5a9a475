import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A program that scripts/install.sh brings. */
export interface Tool {
  readonly name: string
  readonly path: string
  /** Undefined: it is not installed, or does not run here. */
  readonly version: string | undefined
}

/** Where scripts/install.sh puts things: HEDDLE_INTEROP_TOOLS, or a folder in the user's cache. */
export function toolsFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['HEDDLE_INTEROP_TOOLS'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'heddle/interop')
}

export function findEnvoy(): Tool {
  const path = join(toolsFolder(), 'envoy')
  return { name: 'Envoy', path, version: /\/(\d+\.\d+\.\d+)[^/]*\//.exec(output(path, ['--version']))?.[1] }
}

/** A Python that has gRPC's C core. */
export function findCCore(): Tool {
  const path = join(toolsFolder(), 'grpcio/bin/python')
  return {
    name: 'gRPC C core',
    path,
    version: /\d+\.\d+\.\d+/.exec(output(path, ['-c', 'import grpc; print(grpc.__version__)']))?.[0],
  }
}

/** A client of the SPIFFE Workload API that is made of go-spiffe. */
export function findGoSpiffe(): Tool {
  const path = join(toolsFolder(), 'workload-api-client')
  return { name: 'go-spiffe', path, version: /\d+\.\d+\.\d+/.exec(output(path, ['--version']))?.[0] }
}

/** An OpenTelemetry Collector that prints what comes in. */
export function findCollector(): Tool {
  const path = join(toolsFolder(), 'otel-collector')
  return { name: 'OpenTelemetry Collector', path, version: /\d+\.\d+\.\d+/.exec(output(path, ['--version']))?.[0] }
}

/** Kubernetes' API server, for drills of --soak. */
export function findKubeApiserver(): Tool {
  const path = join(toolsFolder(), 'kube-apiserver')
  return { name: 'kube-apiserver', path, version: /\d+\.\d+\.\d+/.exec(output(path, ['--version']))?.[0] }
}

/** What it keeps everything in. */
export function findEtcd(): Tool {
  const path = join(toolsFolder(), 'etcd')
  return { name: 'etcd', path, version: /etcd Version: (\d+\.\d+\.\d+)/.exec(output(path, ['--version']))?.[1] }
}

/** A Zipkin server, which Java runs, for drills of --soak. */
export function findZipkin(): Tool {
  const path = join(toolsFolder(), 'zipkin-server.jar')
  const runs = existsSync(path) && output('java', ['--version']) !== ''
  return { name: 'Zipkin', path, version: runs ? /\d+\.\d+\.\d+/.exec(realpathSync(path))?.[0] : undefined }
}

/** Prometheus' own judge of metrics. */
export function findPromtool(): Tool {
  const path = join(toolsFolder(), 'promtool')
  return { name: 'promtool', path, version: /\d+\.\d+\.\d+/.exec(output(path, ['--version']))?.[0] }
}

/** From the system; Debian keeps servers out of a user's PATH. */
export function findNginx(): Tool {
  const path = '/usr/sbin/nginx'
  return { name: 'nginx', path, version: /nginx\/([\d.]+)/.exec(said(path, '-v'))?.[1] }
}

/** From the system. */
export function findCurl(): Tool {
  const path = '/usr/bin/curl'
  return { name: 'curl', path, version: /^curl ([\d.]+)/.exec(said(path, '--version'))?.[1] }
}

/** From the system. */
export function findH2load(): Tool {
  const path = '/usr/bin/h2load'
  return { name: 'h2load', path, version: /nghttp2\/([\d.]+)/.exec(said(path, '--version'))?.[1] }
}

/** Chromium, from the system. */
export function findChromium(): Tool {
  const path = '/usr/bin/chromium'
  return { name: 'Chromium', path, version: /\d+(?:\.\d+)+/.exec(output(path, ['--version']))?.[0] }
}

/** `Envoy 1.40.0` */
export function labelOf({ name, version }: Tool): string {
  return version === undefined ? name : `${name} ${version}`
}

function output(path: string, args: readonly string[]): string {
  try {
    return execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 })
  } catch {
    return ''
  }
}

/** Of programs that tell their version as if it were an error. */
function said(path: string, word: string): string {
  const { stdout, stderr } = spawnSync(path, [word], { encoding: 'utf8', timeout: 60_000 })
  return `${stdout ?? ''}${stderr ?? ''}`
}
