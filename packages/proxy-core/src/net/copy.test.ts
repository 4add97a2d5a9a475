import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import type { BufferChooser, Connection, ConnectionHandler } from './connection.js'
import { joinConnections } from './copy.js'

const SHARED = Buffer.alloc(64 * 1024)
const ENOUGH = 64 * 1024

/** A socket without a system: it reads where it is told to, and what is written is taken when the test says so, as it is then. */
class FakeConnection {
  handler: ConnectionHandler | undefined
  paused = false
  taken: Buffer[] = []
  #writes: Uint8Array[] = []
  #full = false
  #reader: BufferChooser | undefined

  handle(handler: ConnectionHandler): void {
    this.handler = handler
  }
  readInto(reader: BufferChooser): void {
    this.#reader = reader
  }
  get buffered(): number {
    return this.#writes.reduce((sum, bytes) => sum + bytes.length, 0)
  }
  /** So much of a write the system does not take at once, but holds on to. */
  holds = 0
  write(bytes: Uint8Array): boolean {
    this.#writes.push(bytes)
    if (this.holds === 0) this.take()
    else if (this.#writes.length === 1 && bytes.length > this.holds) {
      const at = bytes.length - this.holds
      this.taken.push(Buffer.from(bytes.subarray(0, at)))
      this.#writes[0] = bytes.subarray(at)
    }
    this.#full = this.buffered >= ENOUGH
    return !this.#full
  }
  take(): void {
    for (const bytes of this.#writes.splice(0)) this.taken.push(Buffer.from(bytes))
    if (!this.#full) return
    this.#full = false
    this.handler?.onDrain()
  }
  read(from: Buffer): number {
    const into = this.#reader?.chooseBuffer() ?? SHARED
    const count = Math.min(into.length, from.length)
    into.set(from.subarray(0, count))
    this.handler?.onData(into.subarray(0, count))
    return count
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  end(): void {}
  destroy(): void {}
}

test('what is read is what is written, however long the system holds on to it, on connections that share their buffers', () => {
  const random = createSeededRandom(5)
  const upTo = (limit: number): number => Math.floor(random.next() * limit)
  const pairs = [0, 1, 2].map((which) => {
    const [from, to] = [new FakeConnection(), new FakeConnection()]
    joinConnections(from as unknown as Connection, to as unknown as Connection, () => {})
    const sent = Buffer.alloc(20_000_000)
    for (let i = 0; i < sent.length; i += 4) sent.writeUInt32LE((i * 2654435761 + which) >>> 0, i)
    return { from, to, sent, at: 0 }
  })
  for (;;) {
    const open = pairs.filter(({ sent, at }) => at < sent.length)
    if (open.length === 0) break
    const one = open[upTo(open.length)]!
    one.to.holds = [0, 0, 20_000, 1_000_000][upTo(4)]!
    // A little, much, or all that fits.
    const most = [3000, 150_000, 1_000_000][upTo(3)]!
    if (!one.from.paused) one.at += one.from.read(one.sent.subarray(one.at, one.at + 1 + upTo(most)))
    if (random.next() < 0.4) pairs[upTo(3)]!.to.take()
  }
  for (const { to, sent } of pairs) {
    to.take()
    expect(Buffer.concat(to.taken).equals(sent)).toBe(true)
  }
})
