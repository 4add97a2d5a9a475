import type { Http2Stream } from './stream.js'

const FEWEST = 16

/**
 * Streams by their id. Not a Map: one that lives long and changes often leaves its outgrown tables in V8's old generation, and they
 * hold every stream that they ever knew until the next full collection. Ids follow each other, so their low bits are the place of
 * almost every stream; one that outlives many others gives its place up.
 */
export class StreamSlots {
  #slots: (Http2Stream | undefined)[] = new Array(FEWEST).fill(undefined)
  readonly #displaced = new Map<number, Http2Stream>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(streamId: number): Http2Stream | undefined {
    const stream = this.#slots[(streamId >>> 1) & (this.#slots.length - 1)]
    if (stream !== undefined && stream.id === streamId) return stream
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(streamId)
  }

  /** Its id is not there yet. */
  add(stream: Http2Stream): void {
    if (++this.#size * 2 > this.#slots.length) this.#grow()
    this.#place(stream)
  }

  /** False: it was not there. */
  delete(stream: Http2Stream): boolean {
    const at = (stream.id >>> 1) & (this.#slots.length - 1)
    if (this.#slots[at] === stream) this.#slots[at] = undefined
    else if (!this.#displaced.delete(stream.id)) return false
    this.#size--
    return true
  }

  /** Those of now. */
  all(): readonly Http2Stream[] {
    if (this.#size === 0) return NONE
    const all = [...this.#displaced.values()]
    for (const stream of this.#slots) if (stream !== undefined) all.push(stream)
    return all.sort((a, b) => a.id - b.id)
  }

  #place(stream: Http2Stream): void {
    const at = (stream.id >>> 1) & (this.#slots.length - 1)
    const before = this.#slots[at]
    if (before !== undefined) this.#displaced.set(before.id, before)
    this.#slots[at] = stream
  }

  #grow(): void {
    const all = this.all()
    this.#slots = new Array(this.#slots.length * 2).fill(undefined)
    this.#displaced.clear()
    for (const stream of all) this.#place(stream)
  }
}

const NONE: readonly Http2Stream[] = []
