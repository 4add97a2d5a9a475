import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { installNode } from './nodes.js'

// usage: MAJOR. The unit tests on another Node: `22`. Exit code and closing line are vitest's.
const [major = ''] = process.argv.slice(2)
if (!/^\d+$/.test(major)) throw new Error('which Node? tsx packages/packaging/src/unit-tests-on.ts 22')
const root = resolve(import.meta.dirname, '../../..')
const node = await installNode(root, Number(major))
console.log(`Node ${node.version}`)
const { status } = spawnSync(node.path, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'], {
  cwd: root,
  stdio: 'inherit',
})
process.exitCode = status ?? 1
