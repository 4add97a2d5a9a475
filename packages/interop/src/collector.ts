import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from './child.js'
import { eventually } from './eventually.js'
import { freePorts } from './free-ports.js'
import type { Tool } from './tools.js'

/** A span as the collector prints it. */
export interface CollectedSpan {
  readonly traceId: string
  readonly parentId: string
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly tags: ReadonlyMap<string, string>
}

export interface CollectedLog {
  readonly body: string
  readonly traceId: string
}

/** An OpenTelemetry Collector with OTLP in, over gRPC and HTTP, and printing out. */
export interface RunningCollector {
  readonly grpcPort: number
  readonly httpPort: number
  readonly spans: readonly CollectedSpan[]
  readonly logs: readonly CollectedLog[]
  readonly output: string
  close(): Promise<void>
}

export async function startCollector(tool: Tool): Promise<RunningCollector> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-collector-'))
  const [grpcPort = 0, httpPort = 0] = await freePorts(2)
  const config = join(folder, 'collector.json')
  writeFileSync(config, JSON.stringify(collectorConfig(grpcPort, httpPort)))
  const child = startChild(tool.path, ['--config', config])
  const close = async (): Promise<void> => {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await eventually(
      () => child.ended || child.output.includes('Everything is ready'),
      (ready) => ready,
    )
    if (child.ended) throw new Error('the collector has ended')
  } catch (error) {
    await close()
    throw new Error(`${error}\n${child.output}`)
  }
  return {
    grpcPort,
    httpPort,
    get spans() {
      return parts(child.output, 'Span #').map(spanOf)
    },
    get logs() {
      return parts(child.output, 'LogRecord #').map((text) => ({
        body: /^Body: Str\((.*)\)$/m.exec(text)?.[1] ?? '',
        traceId: field(text, 'Trace ID'),
      }))
    },
    get output() {
      return child.output
    },
    close,
  }
}

function collectorConfig(grpcPort: number, httpPort: number): object {
  const endpoint = (port: number): object => ({ endpoint: `127.0.0.1:${port}` })
  const pipeline = { receivers: ['otlp'], exporters: ['debug'] }
  return {
    receivers: { otlp: { protocols: { grpc: endpoint(grpcPort), http: endpoint(httpPort) } } },
    exporters: { debug: { verbosity: 'detailed' } },
    service: { telemetry: { metrics: { level: 'none' } }, pipelines: { traces: pipeline, logs: pipeline } },
  }
}

// What follows the next resource is the next one's.
const parts = (output: string, mark: string): string[] =>
  output
    .split(mark)
    .slice(1)
    .map((text) => text.replace(/\n\S* ?(?:ResourceSpans|ResourceLog|\d{4}-\d\d-\d\dT)[\s\S]*$/, ''))

const field = (text: string, name: string): string => new RegExp(`^ *${name} *: ?(.*)$`, 'm').exec(text)?.[1]?.trim() ?? ''

function spanOf(text: string): CollectedSpan {
  const tags = [...text.matchAll(/^ *-> (\S+): Str\((.*)\)$/gm)].map(([, key = '', value = '']) => [key, value] as const)
  return {
    traceId: field(text, 'Trace ID'),
    parentId: field(text, 'Parent ID'),
    id: field(text, 'ID'),
    name: field(text, 'Name'),
    kind: field(text, 'Kind'),
    tags: new Map(tags),
  }
}
