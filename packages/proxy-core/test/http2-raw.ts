import { connect, type Socket } from 'node:net'

/** Bare HTTP/2 frames, written and read without the codec under test. */

export const TYPE = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const
export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const PRIORITY = 0x20
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9)
  header.writeUIntBE(payload.length, 0, 3)
  header[3] = type
  header[4] = flags
  header.writeUInt32BE(streamId, 5)
  return Buffer.concat([header, payload])
}

export function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, i * 4)
  return bytes
}

export type Fields = readonly (readonly [name: string, value: string])[]

/** Literals without indexing and without Huffman. */
export function block(fields: Fields): Buffer {
  const string = (text: string): Buffer => {
    const bytes = Buffer.from(text, 'latin1')
    if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
    const rest = bytes.length - 127
    return Buffer.concat([Buffer.from([127, (rest & 127) | 128, rest >> 7]), bytes])
  }
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), string(name), string(value)]))
}

export const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'h'],
]
export const POST: Fields = [[':method', 'POST'], ...GET.slice(1)]

export function settings(...entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6)
  for (const [i, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  }
  return frame(TYPE.settings, 0, 0, payload)
}

export function headers(streamId: number, fields: Fields | Buffer, flags: number = END_STREAM | END_HEADERS): Buffer {
  return frame(TYPE.headers, flags, streamId, Buffer.isBuffer(fields) ? fields : block(fields as Fields))
}

export const data = (streamId: number, text: string | Buffer, flags = 0): Buffer =>
  frame(TYPE.data, flags, streamId, Buffer.from(text))

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly streamId: number
  readonly payload: Buffer
}

export interface RawClient {
  readonly socket: Socket
  readonly frames: readonly Frame[]
  readonly closed: boolean
  send(...parts: readonly Uint8Array[]): void
  /** The first frame, from those not looked at yet, for which `wanted` holds; undefined: the connection closed before. */
  next(wanted: (frame: Frame) => boolean): Promise<Frame | undefined>
  close(): void
}

/** `greet`: preface and empty settings are sent at once. */
export function rawClient(port: number, greet = true): Promise<RawClient> {
  return new Promise((resolve, reject) => {
    const frames: Frame[] = []
    let waiting: (() => void)[] = []
    let held = Buffer.alloc(0)
    let seen = 0
    let closed = false
    const wake = (): void => {
      const all = waiting
      waiting = []
      for (const one of all) one()
    }
    const socket = connect(port, '127.0.0.1', () => {
      if (greet) client.send(PREFACE, settings())
      resolve(client)
    })
    socket.on('error', (error) => {
      reject(error)
      socket.destroy()
    })
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      closed = true
      wake()
    })
    socket.on('data', (bytes) => {
      held = Buffer.concat([held, bytes])
      while (held.length >= 9 && held.length >= 9 + held.readUIntBE(0, 3)) {
        const length = held.readUIntBE(0, 3)
        frames.push({
          type: held[3]!,
          flags: held[4]!,
          streamId: held.readUInt32BE(5) & 0x7fffffff,
          payload: Buffer.from(held.subarray(9, 9 + length)),
        })
        held = held.subarray(9 + length)
      }
      wake()
    })
    const client: RawClient = {
      socket,
      frames,
      get closed() {
        return closed
      },
      send: (...parts) => socket.write(Buffer.concat(parts)),
      async next(wanted) {
        for (;;) {
          while (seen < frames.length) {
            const one = frames[seen++]!
            if (wanted(one)) return one
          }
          if (closed) return undefined
          await new Promise<void>((wait) => waiting.push(wait))
        }
      },
      close: () => socket.destroy(),
    }
  })
}
