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

/**
 * A group of checks for one cell. Without its tool the group is skipped, and says why; with HEDDLE_INTEROP=1 it fails.
 */
export function describeCell({ controlPlane, dataPlane, tool }: Cell, checks: () => void): void {
  const title = `${controlPlane}${CROSS}${dataPlane}`
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
