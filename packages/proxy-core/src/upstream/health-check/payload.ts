/** Whether every one of `wanted` is in `bytes`, one behind the other, with anything between them (Envoy's PayloadMatcher). */
export function holdsInOrder(bytes: Uint8Array, wanted: readonly Uint8Array[]): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let from = 0
  for (const each of wanted) {
    const at = text.indexOf(each, from)
    if (at < 0) return false
    from = at + each.length
  }
  return true
}
