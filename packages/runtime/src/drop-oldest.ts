/**
 * Keeps a map of what is remembered from growing: when it holds more than `most`, the entry that was set first goes. Deleting a key before it is
 * set again makes it the newest: so the entry that was used last is the last to go. Call it after each entry.
 */
export function dropOldest<K>(map: Map<K, unknown>, most: number): void {
  if (map.size <= most) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
