import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSelfSignedAuthority, issueIdentity, workloadGrant } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import type { RoundContext } from '../../bench-case.js'
import { workerCommand } from '../../commands.js'
import { createCpuAccounting } from '../../proc.js'
import { type Running, start, withProcesses } from '../../running.js'
import type { Arrivals } from '../../workers/xds-streams.js'

/** A server of either make, and clients of it in another process. */
export interface Parts {
  readonly server: Running
  readonly clients: Running
  readonly streams: number
  /** Resident memory of the server before the first stream and with all of them at rest, KB. */
  readonly memory: { readonly before: number; readonly idle: number }
  /** CPU seconds of the server so far; undefined where the system does not tell. */
  cpu(): number | undefined
  /** Sets a resource, or a list of them; resolves when every stream has it. Times in milliseconds. */
  push(resource: object): Promise<Pushed>
}

export interface Pushed {
  readonly medianMs: number
  readonly p99Ms: number
  readonly lastMs: number
  readonly bytes: number
}

export interface Wanted {
  readonly maker: 'ours' | 'go-control-plane'
  readonly streams: number
  readonly variant?: 'sotw' | 'delta'
  readonly typeUrl: string
  readonly name: string
  /** What every stream gets first. */
  readonly first: object
  readonly mutualTls?: boolean
}

/** Where scripts/install-go-control-plane.sh puts it. */
export function goControlPlane(): { readonly path: string; readonly version: string | undefined } {
  const { env } = process
  const folder = env['HEDDLE_BENCH_PEERS'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'heddle/bench')
  const path = join(folder, 'go-control-plane')
  try {
    const said = execFileSync(path, ['--version'], { encoding: 'utf8' })
    return { path, version: /go-control-plane v(\S+)/.exec(said)?.[1] }
  } catch {
    return { path, version: undefined }
  }
}

/** Starts both, waits until every stream has the first resources and rests, and runs `use`. */
export function withStreams<T>(wanted: Wanted, context: RoundContext, use: (parts: Parts) => Promise<T>): Promise<T> {
  const { placement, built } = context
  const { streams, variant = 'delta', typeUrl, name, first, mutualTls = false } = wanted
  return withProcesses(async (keep) => {
    const security = mutualTls ? await certificatesIn(context.folder) : 'plain'
    const [node = '', ...words] = workerCommand('xds-server', built)
    const ours = [node, '--expose-gc', YOUNG_GENERATION, ...words, typeUrl, security]
    const server = keep(start(placement, 'subject', wanted.maker === 'ours' ? ours : [goControlPlane().path, security]))
    const { port } = JSON.parse(await server.line()) as { port: number }
    const set = async (resource: object): Promise<number> => {
      server.send(`push ${JSON.stringify(resource)}`)
      return (JSON.parse(await server.line()) as { at: number }).at
    }
    await set(first)
    // Nothing is measured of a handful of streams.
    const restMs = streams < 100 ? 10 : REST_MS
    const before = await residentAtRest(server, restMs)
    const command = [...workerCommand('xds-streams', built), String(port), String(streams), variant, typeUrl, name, security]
    const clients = keep(start(placement, 'load', command))
    await clients.line()
    const accounting = createCpuAccounting()
    return use({
      ...{ server, clients, streams },
      memory: { before, idle: await residentAtRest(server, restMs) },
      cpu: () => accounting?.of(server.pid),
      async push(resource) {
        clients.send('expect')
        await clients.line()
        const at = await set(resource)
        const { median, p99, last, bytes } = JSON.parse(await clients.line()) as Arrivals
        return { medianMs: (median - at) / 1_000, p99Ms: (p99 - at) / 1_000, lastMs: (last - at) / 1_000, bytes }
      },
    })
  })
}

const REST_MS = 1_000

/**
 * As the README of xds-server advises where memory is dear: by default V8 keeps up to 48 MB for new objects however many streams there are, which would
 * count as 15 KB for each of 2,000.
 */
const YOUNG_GENERATION = '--max-semi-space-size=4'

/** KB, after what is not needed was let go. */
export async function residentAtRest(server: Running, restMs: number = REST_MS): Promise<number> {
  await sleep(restMs)
  server.send('rest')
  await server.line()
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0)
}

/** Of a throw-away authority, the same pair for both sides. */
async function certificatesIn(folder: string): Promise<string> {
  const authority = await createSelfSignedAuthority({ clock: systemClock })
  const grant = workloadGrant({ trustDomain: 'cluster.local', namespace: 'bench', serviceAccount: 'bench' })
  const { certificateChain, privateKey, trustBundle } = await issueIdentity(authority, grant)
  writeFileSync(join(folder, 'certificate.pem'), certificateChain)
  writeFileSync(join(folder, 'key.pem'), privateKey)
  writeFileSync(join(folder, 'roots.pem'), trustBundle)
  return folder
}
