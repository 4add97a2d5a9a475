import type { Node } from '@heddle/xds-types/envoy/config/core/v3'
import { HTTPAccessLogEntry, TCPAccessLogEntry } from '@heddle/xds-types/envoy/data/accesslog/v3'
import { StreamAccessLogsMessage } from '@heddle/xds-types/envoy/service/accesslog/v3'
import type { GrpcService } from '../../config/grpc-service.js'
import type { GrpcStream } from '../../upstream/grpc-client.js'
import type { AccessLogEntry } from '../access-log.js'
import { createBatches, createBatchStats } from '../batches.js'
import type { OtlpDeps } from '../otlp.js'
import type { CollectorLog, CollectorLogDeps } from './collector-logs.js'
import { type EntryOptions, httpEntry, tcpEntry } from './entry.js'

/** CommonGrpcAccessLogConfig and what stands around it, compiled. */
export interface AccessLogServiceConfig extends EntryOptions {
  readonly kind: 'http' | 'tcp'
  readonly logName: string
  readonly service: GrpcService
  readonly flushIntervalMs: number
  /** Entries are sent when they weigh so much; 0: each at once. */
  readonly bufferBytes: number
}

const PATH = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs'

/** A log over envoy.service.accesslog.v3: one stream that is opened when there is something to say, and again after it broke. */
export function createAccessLogService(config: AccessLogServiceConfig, deps: CollectorLogDeps): CollectorLog {
  const stream = createLogStream(config, deps)
  const of = config.kind === 'http' ? HTTP : TCP
  const batches = createBatches<Uint8Array>({
    clock: deps.clock,
    stats: createBatchStats(deps.stats, 'access_logs_grpc_access_log', 'logs'),
    size: Math.max(1, config.bufferBytes),
    weigh: (entry) => entry.length,
    intervalMs: config.flushIntervalMs,
    send: (entries) => Promise.resolve(stream.send(of.message(entries))),
  })
  return {
    log: (entry) => batches.add(of.encode(entry, config)),
    async flush() {
      await batches.flush()
      stream.end()
    },
  }
}

interface Kind {
  encode(entry: AccessLogEntry, options: EntryOptions): Uint8Array
  /** StreamAccessLogsMessage without its identifier. */
  message(entries: readonly Uint8Array[]): Uint8Array
}

// `http_logs` is field 2 of the message and `tcp_logs` field 3; `log_entry` is field 1 of either. All are length-delimited.
const HTTP: Kind = {
  encode: (entry, options) => HTTPAccessLogEntry.encode(httpEntry(entry, options)),
  message: (entries) => delimited(2, Buffer.concat(entries.map((entry) => delimited(1, entry)))),
}
const TCP: Kind = {
  encode: (entry, options) => TCPAccessLogEntry.encode(tcpEntry(entry, options)),
  message: (entries) => delimited(3, Buffer.concat(entries.map((entry) => delimited(1, entry)))),
}

interface LogStream {
  /** False: nobody takes it. */
  send(message: Uint8Array): boolean
  end(): void
}

/** More waits nowhere: a service that does not read loses entries, never our memory. */
const MOST_BUFFERED = 1024 * 1024

function createLogStream({ service, logName }: AccessLogServiceConfig, { grpc, node }: OtlpDeps & { node: Node }): LogStream {
  let stream: GrpcStream | undefined
  const open = (): GrpcStream => {
    const { authority, metadata } = service
    const options = { path: PATH, metadata, ...(authority !== undefined && { authority }) }
    const opened = grpc(service.cluster).stream(options, {
      onMessage() {},
      onStatus() {
        if (stream === opened) stream = undefined
      },
    })
    return opened
  }
  return {
    send(message) {
      if (stream !== undefined && stream.buffered > MOST_BUFFERED) return false
      if (stream === undefined) {
        stream = open()
        stream.send(Buffer.concat([StreamAccessLogsMessage.encode({ identifier: { node, log_name: logName } }), message]))
      } else stream.send(message)
      return true
    },
    end() {
      stream?.end()
      stream = undefined
    },
  }
}

/** A field of wire type 2. Messages one after another are one message (protobuf's encoding guide, "last one wins"). */
function delimited(field: number, bytes: Uint8Array): Uint8Array {
  const head = [(field << 3) | 2]
  let length = bytes.length
  while (length > 0x7f) {
    head.push((length & 0x7f) | 0x80)
    length >>>= 7
  }
  head.push(length)
  return Buffer.concat([Uint8Array.from(head), bytes])
}
