const PREFIX_BYTES = 5

/** Counts the length-prefixed messages of a gRPC body as its bytes pass by. */
export function createMessageCounter(message: () => void): (chunk: Uint8Array) => void {
  let prefix = 0
  let length = 0
  let left = 0
  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (left > 0) {
        const taken = Math.min(left, chunk.length - at)
        left -= taken
        at += taken
        continue
      }
      if (prefix > 0) length = length * 256 + chunk[at]!
      at++
      if (++prefix < PREFIX_BYTES) continue
      message()
      left = length
      prefix = length = 0
    }
  }
}
