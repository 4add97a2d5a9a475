/** The messages of a gRPC stream, out of the bytes of its DATA frames. */
export interface MessageReader {
  /** Takes the next bytes and gives each message that is whole by then. */
  read(bytes: Buffer): void
}

export interface MessageReaderOptions {
  /** Of one message. */
  readonly maxBytes: number
  readonly message: (body: Buffer) => void
  /** What comes cannot be read, and nothing after it will be. */
  readonly failed: (problem: string) => void
}

const PREFIX = 5

/** For streams whose messages are not compressed: a client says in a header that it may compress some. */
export function createMessageReader({ maxBytes, message, failed }: MessageReaderOptions): MessageReader {
  // The beginning of a message, in pieces until the rest of it is here: a large one comes in hundreds of frames.
  let pieces: Buffer[] = []
  let have = 0
  let need = PREFIX
  let broken = false
  /** Why a message cannot be read. */
  const problemOf = (compressed: boolean, size: number): string | undefined => {
    if (compressed) return 'a compressed message on a stream without grpc-encoding'
    return size > maxBytes ? `Received message larger than max (${size} vs ${maxBytes})` : undefined
  }
  const parse = (all: Buffer): void => {
    let at = 0
    need = PREFIX
    while (all.length - at >= PREFIX) {
      const size = all.readUInt32BE(at + 1)
      const problem = problemOf(all[at] !== 0, size)
      if (problem !== undefined) {
        broken = true
        failed(problem)
        return
      }
      need = PREFIX + size
      if (all.length - at < need) break
      message(all.subarray(at + PREFIX, at + need))
      at += need
      need = PREFIX
    }
    pieces = at === all.length ? [] : [all.subarray(at)]
    have = all.length - at
  }
  return {
    read(bytes) {
      if (broken) return
      pieces.push(bytes)
      have += bytes.length
      if (have >= need) parse(pieces.length === 1 ? bytes : Buffer.concat(pieces))
    },
  }
}
