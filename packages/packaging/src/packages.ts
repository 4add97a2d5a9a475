import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A package.json, as far as it matters here. */
export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, unknown>>
  readonly bin?: Readonly<Record<string, string>>
  readonly publishConfig?: { readonly access?: string; readonly exports?: Readonly<Record<string, unknown>> }
  readonly [field: string]: unknown
}

export interface PublicPackage {
  /** `@heddle/ca`. */
  readonly name: string
  /** Its folder's name: `ca`. */
  readonly short: string
  readonly folder: string
  readonly manifest: Manifest
  /** What users import, as specifiers: `@heddle/ca`, `@heddle/ca/grpc`. Patterns are left out, see `modules`. */
  readonly entries: readonly string[]
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
}

/** The specifiers of an `exports` field without patterns and without what is closed by null. */
export function entriesOf({ name, exports = {} }: Manifest): readonly string[] {
  return Object.entries(exports)
    .filter(([path, target]) => target !== null && !path.includes('*'))
    .map(([path]) => name + path.slice(1))
}

/** What `pnpm pack` makes of a package.json, as far as it matters here: the exports of publishConfig are those that ship. */
export function asPublished(manifest: Manifest): Manifest {
  const { exports } = manifest.publishConfig ?? {}
  return exports === undefined ? manifest : { ...manifest, exports }
}

/** All packages that are published, in alphabetical order. */
export function publicPackages(root: string): readonly PublicPackage[] {
  const packages = join(root, 'packages')
  return readdirSync(packages)
    .filter((short) => existsSync(join(packages, short, 'package.json')))
    .map((short) => ({ short, folder: join(packages, short), manifest: readManifest(join(packages, short)) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ short, folder, manifest }) => ({
      name: manifest.name,
      short,
      folder,
      manifest,
      entries: entriesOf(asPublished(manifest)),
    }))
}
