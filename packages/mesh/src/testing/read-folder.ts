import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The YAML and JSON files in and below a folder, by path: what {@link createTestMesh} takes. */
export function readFolder(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.(ya?ml|json)$/.test(entry.name),
  )
  return Object.fromEntries(
    files.map((file) => join(file.parentPath, file.name)).map((path) => [path, readFileSync(path, 'utf8')]),
  )
}
