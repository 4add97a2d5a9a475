import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import type { Clock } from '@heddle/runtime'
import { createFrameReader, frame } from './frames.js'

export interface UpstreamOptions {
  /** Addresses; each is asked at port 53, or at the port behind the last colon of `10.0.0.1:5353` and `[fd00::1]:5353`. */
  readonly servers: readonly string[]
  /** All at once, and the first answer counts (DNS_FORWARD_PARALLEL); default one after the other. */
  readonly parallel?: boolean
  /** For each server; default 5,000. */
  readonly timeoutMs?: number
  readonly clock: Clock
}

/** Asks the servers of resolv.conf, by the protocol in which the question came; the answer as it comes. Rejects when none answers. */
export type Upstream = (query: Buffer, protocol: 'udp' | 'tcp') => Promise<Buffer>

export function createUpstream({ servers, parallel = false, timeoutMs = 5_000, clock }: UpstreamOptions): Upstream {
  const places = servers.map(placeOf)
  return async (query, protocol) => {
    const ask = (place: Place): Promise<Buffer> => (protocol === 'udp' ? askUdp : askTcp)(query, place, timeoutMs, clock)
    if (parallel) return Promise.any(places.map(ask))
    let last: unknown = new Error('resolv.conf names no server')
    for (const place of places) {
      try {
        return await ask(place)
      } catch (error) {
        last = error
      }
    }
    throw last
  }
}

interface Place {
  readonly host: string
  readonly port: number
}

function placeOf(server: string): Place {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(server) ?? []
  return port === undefined ? { host: server, port: 53 } : { host: bracketed ?? plain ?? server, port: Number(port) }
}

/** A socket for each question: its port is chance's, and being connected it takes nothing from others. */
function askUdp(query: Buffer, { host, port }: Place, timeoutMs: number, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const end = (finish: () => void): void => {
      forget()
      socket.close()
      finish()
    }
    const forget = clock.after(timeoutMs, () => end(() => reject(new Error(`${host} does not answer`))))
    socket.once('error', (error) => end(() => reject(error)))
    socket.on('message', (answer) => {
      if (answer.length >= 2 && answer.readUInt16BE(0) === query.readUInt16BE(0)) end(() => resolve(answer))
    })
    socket.connect(port, host, () => socket.send(query))
  })
}

function askTcp(query: Buffer, { host, port }: Place, timeoutMs: number, clock: Clock): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port })
    const end = (finish: () => void): void => {
      forget()
      socket.destroy()
      finish()
    }
    const forget = clock.after(timeoutMs, () => end(() => reject(new Error(`${host} does not answer`))))
    const read = createFrameReader((answer) => end(() => resolve(answer)))
    socket.once('error', (error) => end(() => reject(error)))
    socket.once('close', () => end(() => reject(new Error(`${host} has hung up`))))
    socket.on('data', read)
    socket.once('connect', () => socket.write(frame(query)))
  })
}
