import { startChild } from './child.js'
import { eventually } from './eventually.js'
import { freePorts } from './free-ports.js'
import type { Tool } from './tools.js'

/** A span as Zipkin's API (v2) gives it. */
export interface ZipkinSpan {
  readonly traceId: string
  readonly id: string
  readonly parentId?: string
  readonly kind: string
  readonly name: string
  readonly localEndpoint: { readonly serviceName: string }
  readonly tags: Readonly<Record<string, string>>
}

/** A Zipkin server that keeps what it is told in memory. */
export interface RunningZipkin {
  readonly port: number
  /** Every span of a trace, as it answers for one. */
  trace(traceId: string): Promise<readonly ZipkinSpan[]>
  close(): Promise<void>
}

const START_TIMEOUT_MS = 120_000

export async function startZipkin(tool: Tool): Promise<RunningZipkin> {
  const [port = 0] = await freePorts(1)
  const child = startChild('java', ['-jar', tool.path], { QUERY_PORT: String(port), STORAGE_TYPE: 'mem' })
  const url = `http://127.0.0.1:${port}`
  try {
    await eventually(
      async () => child.ended || (await fetch(`${url}/health`)).ok,
      (ready) => ready,
      START_TIMEOUT_MS,
    )
    if (child.ended) throw new Error('the Zipkin server has ended')
  } catch (error) {
    await child.stop()
    throw new Error(`${error}\n${child.output}`)
  }
  return {
    port,
    async trace(traceId) {
      const answer = await fetch(`${url}/api/v2/trace/${traceId}`)
      return answer.ok ? ((await answer.json()) as ZipkinSpan[]) : []
    },
    close: () => child.stop(),
  }
}
