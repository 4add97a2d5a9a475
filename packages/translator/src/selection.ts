export function isEmpty(labels: Readonly<Record<string, unknown>> | undefined): boolean {
  for (const _ in labels) return false
  return true
}
