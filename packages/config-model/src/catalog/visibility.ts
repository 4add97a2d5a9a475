/**
 * Whether an object of namespace `owner` is there for proxies of `namespace`: `*` everywhere, `.` at home, a name in that namespace, `~` nowhere.
 * Nothing written means what the mesh config says (`fallback`), and nothing there everywhere.
 */
export function exportedTo(
  exportTo: readonly string[] | undefined,
  fallback: readonly string[],
  owner: string,
  namespace: string,
): boolean {
  const to = effectiveExportTo(exportTo, fallback)
  return to.some((target) => target === '*' || (target === '.' ? owner === namespace : target === namespace))
}

/** Whether some namespace has both of two objects. */
export function seenTogether(
  a: readonly string[] | undefined,
  ownerOfA: string,
  b: readonly string[] | undefined,
  ownerOfB: string,
  fallback: readonly string[],
): boolean {
  const named = (exportTo: readonly string[] | undefined, owner: string): readonly string[] =>
    effectiveExportTo(exportTo, fallback).flatMap((target) => (target === '~' ? [] : target === '.' ? [owner] : [target]))
  const [one, other] = [named(a, ownerOfA), named(b, ownerOfB)]
  if (one.length === 0 || other.length === 0) return false
  return one.includes('*') || other.includes('*') || one.some((target) => other.includes(target))
}

function effectiveExportTo(exportTo: readonly string[] | undefined, fallback: readonly string[]): readonly string[] {
  const to = exportTo === undefined || exportTo.length === 0 ? fallback : exportTo
  return to.length === 0 ? EVERYWHERE : to
}

const EVERYWHERE: readonly string[] = ['*']
