import type { StatChange, StatsSink } from './stats-sink.js'

/** Sends datagrams; never waits. */
export interface DatagramSender {
  send(text: string): void
  close(): void
}

/** Datagrams stay below the smallest MTU of a network that anybody has: statsd servers take several lines in one. */
const MOST_BYTES = 1_400
const PREFIX = 'envoy'

/** envoy.config.metrics.v3.StatsdSink over UDP: `prefix.name:1|c`, `|g`, `|ms`. Histograms are told bucket by bucket, with a sample rate. */
export function createStatsdSink(sender: DatagramSender, prefix: string = PREFIX): StatsSink {
  const start = prefix === '' ? PREFIX : prefix
  return {
    flush(changes) {
      let datagram = ''
      for (const change of changes) {
        const text = `${start}.${line(change)}`
        if (datagram !== '' && datagram.length + 1 + text.length > MOST_BYTES) {
          sender.send(datagram)
          datagram = ''
        }
        datagram += datagram === '' ? text : `\n${text}`
      }
      if (datagram !== '') sender.send(datagram)
    },
    close: () => sender.close(),
  }
}

function line({ name, kind, value, count }: StatChange): string {
  // `:`, `|` and `@` part a line.
  const clean = name.replace(/[:|@]/g, '_')
  if (kind === 'counter') return `${clean}:${value}|c`
  if (kind === 'gauge') return `${clean}:${value}|g`
  return count === 1 ? `${clean}:${value}|ms` : `${clean}:${value}|ms|@${1 / count}`
}
