/** As deep as protobuf's JSON reader goes. */
const MAX_DEPTH = 100

/** Whether what JSON.parse gave is nested so little that one may walk it by recursion: JSON.parse itself has no limit (CVE-2026-48042). */
export function isShallow(value: unknown, depth: number = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1))
}
