/** Which objects apply to whom: labels and exportTo. */

export function isEmpty(labels: Readonly<Record<string, unknown>> | undefined): boolean {
  for (const _ in labels) return false
  return true
}

/** Whether an object of namespace `owner` is visible in `namespace`: `*` everywhere, `.` at home, `~` nowhere. */
export function visible(
  exportTo: readonly string[] | undefined,
  fallback: readonly string[],
  owner: string,
  namespace: string,
): boolean {
  const to = exportTo === undefined || exportTo.length === 0 ? fallback : exportTo
  if (to.length === 0) return true
  return to.some((t) => t === '*' || (t === '.' ? owner === namespace : t === namespace))
}
