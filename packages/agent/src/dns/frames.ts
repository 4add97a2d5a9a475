/** A message as TCP carries it (RFC 1035, 4.2.2): two bytes of length before it. */
export function frame(message: Buffer): Buffer {
  return Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message])
}

/** Takes bytes as they come, and gives whole messages; keeps no more than one of them, 64 KiB, and what came with it. */
export function createFrameReader(onMessage: (message: Buffer) => void): (bytes: Buffer) => void {
  let kept: Buffer = Buffer.alloc(0)
  return (bytes) => {
    kept = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
    while (kept.length >= 2 && kept.length >= 2 + kept.readUInt16BE(0)) {
      const end = 2 + kept.readUInt16BE(0)
      const message = kept.subarray(2, end)
      kept = kept.subarray(end)
      onMessage(message)
    }
  }
}
