/** A page or two, as most connections need within a turn of the loop, and what a busy one fills. */
const SIZES = [8 * 1024, 128 * 1024] as const
/** So many of each size are kept: asking the system for memory costs more than a request. */
const KEPT = [512, 8] as const

/** The largest that is kept. */
export const LARGEST_STAGING: number = SIZES[1]

const free: readonly Buffer[][] = SIZES.map(() => [])

/** A buffer of at least so many bytes, of any content. */
export function takeStaging(bytes: number): Buffer {
  if (bytes > LARGEST_STAGING) return Buffer.allocUnsafeSlow(bytes)
  const kind = bytes <= SIZES[0] ? 0 : 1
  return free[kind]!.pop() ?? Buffer.allocUnsafeSlow(SIZES[kind])
}

/** Nobody uses it any more. */
export function releaseStaging(buffer: Buffer): void {
  const kind = buffer.length === SIZES[0] ? 0 : 1
  if (buffer.length === SIZES[kind] && free[kind]!.length < KEPT[kind]) free[kind]!.push(buffer)
}
