/** Of one: as much as the kernel hands over at once when a sender is fast. */
export const LARGE_BYTES: number = 256 * 1024

const KEPT = 16

const free: Buffer[] = []

/** A buffer to read into while much comes. */
export function takeBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(LARGE_BYTES)
}

/** Nobody writes into it or reads from it any more. */
export function giveBuffer(buffer: Buffer): void {
  if (free.length < KEPT) free.push(buffer)
}
