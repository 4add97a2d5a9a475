import cluster from 'node:cluster'
import { createSystemNetwork, type Network, type ProxyServer } from '@heddle/proxy-core'
import { systemClock } from '@heddle/runtime'
import type { FromWorker, ToWorker } from './messages.js'

/** Names the place of a worker among its kind, from 0. */
export const WORKER_INDEX = 'HEDDLE_PROXY_WORKER'

/** Of this process; undefined: it is no worker. */
export function workerIndex(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const index = env[WORKER_INDEX]
  return cluster.isWorker && index !== undefined ? Number(index) : undefined
}

/**
 * Listening sockets that several processes share: the kernel spreads connections over them where Node can ask for that; else the
 * supervisor accepts and hands on in turn (node:cluster).
 */
export function createWorkerNetwork(): Network {
  return createSystemNetwork({ clock: systemClock, reusePort: canReusePort(process.versions.node, process.platform) })
}

/** net.Server's `reusePort` came with 22.12 and 23.1. */
function canReusePort(version: string, platform: NodeJS.Platform): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return platform === 'linux' && (major > 23 || (major === 23 && minor >= 1) || (major === 22 && minor >= 12))
}

/** While the way to the supervisor is open, the process does not end by itself. */
export function leaveSupervisor(): void {
  cluster.worker?.disconnect()
}

/** Tells the supervisor that the proxy serves, and answers it. `stop` runs when it asks for that. */
export function answerSupervisor(server: ProxyServer, stop: () => void): void {
  const tell = (message: FromWorker): void => void process.send?.(message)
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') {
      stop()
      return
    }
    const { id } = message
    try {
      if (message.kind === 'share') tell({ kind: 'shared', id, share: server.share() })
      else if (message.kind === 'answer')
        tell({ kind: 'answered', id, answer: server.answerAdmin(message.method, message.url, message.others) })
    } catch (error) {
      tell({ kind: 'failed', id, problem: String(error) })
    }
  })
  tell({ kind: 'started' })
}
