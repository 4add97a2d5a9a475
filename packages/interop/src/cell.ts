import { describe, test } from 'vitest'
import { CROSS } from './cell-title.js'
import type { Tool } from './tools.js'

/** One cell of the matrix: who configures, and who is configured. */
export interface Cell {
  readonly controlPlane: string
  readonly dataPlane: string
  /** What must be installed; undefined: nothing. */
  readonly tool?: Tool
}

/** A group of checks for one cell. */
export function describeCell({ controlPlane, dataPlane, tool }: Cell, checks: () => void): void {
  describeWith(tool, `${controlPlane}${CROSS}${dataPlane}`, checks)
}

/** A group of checks that need a tool. Without it the group is skipped, and says why; with HEDDLE_INTEROP=1 it fails. */
export function describeWith(tool: Tool | undefined, title: string, checks: () => void): void {
  if (tool === undefined || tool.version !== undefined) return void describe(title, checks)
  const reason = `${tool.name} is not at ${tool.path}: run packages/interop/scripts/install.sh`
  if (process.env['HEDDLE_INTEROP'] === '1')
    return void describe(title, () => {
      test('the tool is installed', () => {
        throw new Error(reason)
      })
    })
  console.log(`skipped ${title}: ${reason}`)
  describe.skip(title, checks)
}
