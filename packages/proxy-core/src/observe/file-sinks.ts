import { closeSync, openSync } from 'node:fs'
import type { Clock, Logger } from '@heddle/runtime'
import type { AccessLogSinks } from './access-log.js'
import { createFileAppender } from './append-to-file.js'
import { type BufferedSink, createBufferedSink } from './log-sink.js'

export interface FileSinks {
  readonly sinkFor: AccessLogSinks
  flush(): Promise<void>
}

/** Access logs into files, appended, one buffer a path; `/dev/stdout` and `/dev/stderr` go to the process's own streams. */
export function createFileSinks(options: { clock: Clock; logger: Logger }): FileSinks {
  const sinks = new Map<string, BufferedSink>()
  const open = (path: string): BufferedSink => {
    const stream = path === '/dev/stdout' ? process.stdout : path === '/dev/stderr' ? process.stderr : undefined
    // Now is when somebody can be told that it cannot be written to; it may still go away later.
    if (stream === undefined) closeSync(openSync(path, 'a'))
    return createBufferedSink({
      clock: options.clock,
      write: stream === undefined ? createFileAppender(path, options.clock) : toStream(stream),
      onError: (error) => options.logger.error({ path, error: String(error) }, 'access log: a block of lines is lost'),
    })
  }
  return {
    sinkFor(path) {
      let sink = sinks.get(path)
      if (sink === undefined) {
        sink = open(path)
        sinks.set(path, sink)
      }
      return sink
    },
    async flush() {
      await Promise.all([...sinks.values()].map((sink) => sink.flush()))
    },
  }
}

function toStream(stream: NodeJS.WriteStream): (block: Buffer) => Promise<void> {
  return (block) =>
    new Promise((resolve, reject) => {
      stream.write(block, (error) => (error ? reject(error) : resolve()))
    })
}
