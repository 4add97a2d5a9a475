import type { RoundContext } from '../../bench-case.js'
import { workerCommand } from '../../commands.js'
import { type Running, start } from '../../running.js'

export interface TcpLoadRequest {
  /** Bytes from upstream as fast as they come; connections one after the other; connections that stay open; and their end. */
  readonly kind: 'pull' | 'reconnect' | 'hold' | 'release'
  readonly port: number
  readonly connections: number
  readonly seconds: number
  readonly secure?: boolean
}

export interface TcpLoadReport {
  /** Bytes, or connections. */
  readonly count: number
  readonly seconds: number
  readonly errors: number
}

/** The upstream of a TCP proxy and its clients. */
export interface TcpLoad {
  run(request: TcpLoadRequest): Promise<TcpLoadReport>
}

export async function startTcpLoad(
  context: RoundContext,
  upstream: number,
  keep: (running: Running) => Running,
): Promise<TcpLoad> {
  const words = [...workerCommand('tcp-load', context.built), String(upstream)]
  const running = keep(start(context.placement, 'load', words))
  await running.line()
  return {
    async run(request) {
      running.send(JSON.stringify(request))
      return JSON.parse(await running.line((request.seconds + 60) * 1000)) as TcpLoadReport
    },
  }
}
