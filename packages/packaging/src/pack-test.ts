import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Cell, type CheckContext, cellOf, onNode } from './checks/check.js'
import { contentFaults } from './checks/contents.js'
import { checkAttw, checkPublint, installTools } from './checks/linters.js'
import { checkCommand, checkEntries, checkReadme, measureImport } from './checks/programs.js'
import { checkTypes } from './checks/types.js'
import { type Consumer, createConsumer, writeSources } from './consumer.js'
import { installNode, type NodeVersion } from './nodes.js'
import { type Packed, pack } from './pack.js'
import { publicPackages } from './packages.js'
import { readSnapshot, surface, surfaceChanges } from './snapshot.js'
import { sweep } from './sweep.js'

export interface PackTestOptions {
  readonly root: string
  /** A folder for tarballs and the consumer; it exists and is empty. */
  readonly work: string
  /** Takes the public surface as it is now for the new snapshot. */
  readonly update: boolean
  /** Other major versions of Node to run the packages on: `22`. */
  readonly nodes: readonly string[]
  readonly log: (line: string) => void
}

export interface PackTestResult {
  readonly packed: readonly Packed[]
  readonly cells: readonly Cell[]
}

const SNAPSHOTS = 'packages/packaging/exports'

function checkSurface(one: Packed, consumer: Consumer, { root, update }: PackTestOptions): readonly Cell[] {
  if (one.manifest.exports === undefined) return []
  const folder = join(root, SNAPSHOTS)
  const now = surface(one, consumer.installed(one.package.name))
  if (update) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${one.package.short}.txt`), now)
  }
  const changes = surfaceChanges(readSnapshot(folder, one.package.short), now)
  const hint = changes.length === 0 ? [] : ['a wanted change of the public surface: `pnpm pack-test --update`, and a changeset']
  return [cellOf(one, 'exports', [...changes, ...hint], `${now.split('\n').length - 1}`)]
}

/** Everything that runs a package. */
async function usePackage(one: Packed, context: CheckContext): Promise<readonly Cell[]> {
  const cells: Cell[] = one.manifest.bin === undefined ? [] : [await checkCommand(one, context)]
  if (one.package.entries.length > 0)
    cells.push(await checkReadme(one, context), ...(await checkEntries(one, context)), ...(await measureImport(one, context)))
  return cells.map((cell) => onNode(cell, context.node))
}

/** Packs all public packages, installs them as a user would and puts them to use. The packages are built. */
export async function packTest(options: PackTestOptions): Promise<PackTestResult> {
  const { root, work, log } = options
  const packed: Packed[] = []
  for (const one of publicPackages(root)) {
    const stale = sweep(one.folder)
    if (stale.length > 0) log(`${one.name}: removed ${stale.length} files of earlier builds from dist`)
    packed.push(await pack(root, one, work))
  }
  log(`packed ${packed.length} packages; npm installs them`)
  const consumer = await createConsumer(join(work, 'consumer'), packed)
  const bin = await installTools(root)
  writeSources(consumer, packed)
  const own: NodeVersion = { name: '', path: 'node' }
  log('checking types')
  const cells: Cell[] = [...(await checkTypes(packed, { root, consumer, node: own }))]
  for (const one of packed) {
    log(`checking ${one.package.name}`)
    cells.push(cellOf(one, 'packed KB', [], (one.size / 1024).toFixed(0)), cellOf(one, 'contents', contentFaults(one)))
    cells.push(...checkSurface(one, consumer, options), await checkPublint(one, bin), ...(await checkAttw(one, bin)))
    cells.push(...(await usePackage(one, { root, consumer, node: own })))
  }
  for (const major of options.nodes) {
    log(`on Node ${major}`)
    const node = await installNode(root, major)
    for (const one of packed) cells.push(...(await usePackage(one, { root, consumer, node })))
  }
  return { packed, cells }
}
