import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Manifest, type PublicPackage, readManifest } from './packages.js'
import { lastWords, run } from './run.js'
import { filesBelow } from './sweep.js'

export interface Packed {
  readonly package: PublicPackage
  readonly tarball: string
  /** Bytes of the tarball. */
  readonly size: number
  /** The package.json inside it: ranges resolved, publishConfig applied. */
  readonly manifest: Manifest
  readonly readme: string
  /** Paths inside it. */
  readonly files: readonly string[]
}

/** `pnpm pack`, which applies `workspace:`, `catalog:` and publishConfig, and a look into what it made. Throws when packing fails. */
export async function pack(root: string, one: PublicPackage, into: string): Promise<Packed> {
  const name = `${one.name.replace('@', '').replace('/', '-')}-${one.manifest.version}`
  const tarball = join(into, `${name}.tgz`)
  const unpacked = join(into, name)
  mkdirSync(unpacked, { recursive: true })
  const steps = [
    await run(join(root, 'node_modules/.bin/pnpm'), ['pack', '--pack-destination', into], { cwd: one.folder }),
    await run('tar', ['xzf', tarball, '-C', unpacked, '--strip-components=1'], { cwd: into }),
  ]
  const failed = steps.find(({ code }) => code !== 0)
  if (failed !== undefined) throw new Error(`${one.name} cannot be packed: ${lastWords(failed)}`)
  const files = filesBelow(unpacked)
  const readme = files.includes('README.md') ? readFileSync(join(unpacked, 'README.md'), 'utf8') : ''
  return { package: one, tarball, size: statSync(tarball).size, manifest: readManifest(unpacked), files, readme }
}
