import { join } from 'node:path'
import { type Cell, cellOf } from './checks/check.js'
import { contentFaults } from './checks/contents.js'
import { checkAttw, checkPublint } from './checks/linters.js'
import { checkCommand, checkEntries, checkReadme, measureImport } from './checks/programs.js'
import { checkTypes } from './checks/types.js'
import { type Consumer, createConsumer, writeSources } from './consumer.js'
import { runJest } from './jest.js'
import { installNode, type NodeVersion, ownNode } from './nodes.js'
import { type Packed, pack } from './pack.js'
import { publicPackages } from './packages.js'
import { lineChanges, surface } from './surface/exports.js'
import { sweep } from './sweep.js'
import { installTools } from './tools.js'

export interface PackTestOptions {
  readonly root: string
  /** A folder for tarballs and the consumer; it exists and is empty. */
  readonly work: string
  /** Other major versions of Node to run the packages on: 22. */
  readonly nodes: readonly number[]
  readonly log: (line: string) => void
}

export interface PackTestResult {
  readonly packed: readonly Packed[]
  readonly cells: readonly Cell[]
}

interface Installed {
  readonly root: string
  readonly consumer: Consumer
  readonly modules: string
}

/** The names that ship are those of the repository, which `pnpm packaging` keeps. */
function checkShipped(one: Packed, consumer: Consumer): readonly Cell[] {
  if (one.manifest.exports === undefined) return []
  const shipped = surface(one.manifest, consumer.installed(one.package.name))
  const changes = lineChanges(surface(one.manifest, one.package.folder), shipped)
  return [cellOf(one, 'exports', changes, `${shipped.split('\n').length - 1}`)]
}

/** What can be told without running a package. */
async function readPackage(one: Packed, { consumer, modules }: Installed): Promise<readonly Cell[]> {
  return [
    cellOf(one, 'packed KB', [], (one.size / 1024).toFixed(0)),
    cellOf(one, 'contents', contentFaults(one)),
    ...checkShipped(one, consumer),
    await checkPublint(one, modules),
    ...(await checkAttw(one, modules)),
  ]
}

/** Everything that runs the packages, on one Node. */
async function usePackages(packed: readonly Packed[], node: NodeVersion, installed: Installed): Promise<readonly Cell[]> {
  const context = { ...installed, node }
  const jest = await runJest(
    packed.filter(({ package: { entries } }) => entries.length > 0),
    context,
  )
  const cells: Cell[] = []
  for (const one of packed) {
    if (one.manifest.bin !== undefined) cells.push(await checkCommand(one, context))
    const faults = jest.get(one.package.name)
    if (faults === undefined) continue
    cells.push(...(await checkReadme(one, context)), cellOf(one, 'jest', faults))
    cells.push(...(await checkEntries(one, context)), ...(await measureImport(one, context)))
  }
  return cells.map((cell) => ({ ...cell, node: node.major }))
}

/** Packs all public packages, installs them as a user would and puts them to use. The packages are built. */
export async function packTest({ root, work, nodes, log }: PackTestOptions): Promise<PackTestResult> {
  const packed: Packed[] = []
  for (const one of publicPackages(root)) {
    const stale = sweep(one.folder)
    if (stale.length > 0) log(`${one.name}: removed ${stale.length} files of earlier builds from dist`)
    packed.push(await pack(root, one, work))
  }
  log(`packed ${packed.length} packages; npm installs them`)
  const consumer = await createConsumer(join(work, 'consumer'), packed)
  const installed: Installed = { root, consumer, modules: await installTools(root, 'tarballs') }
  writeSources(consumer, packed)
  log('reading the packages')
  const cells: Cell[] = [...(await checkTypes(packed, { root, consumer, node: ownNode }))]
  for (const one of packed) cells.push(...(await readPackage(one, installed)))
  for (const node of [ownNode, ...(await Promise.all(nodes.map((major) => installNode(root, major))))]) {
    log(`running them on Node ${node.version}`)
    cells.push(...(await usePackages(packed, node, installed)))
  }
  return { packed, cells }
}
