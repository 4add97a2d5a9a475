import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { installNode } from './nodes.js'

// usage: MAJOR PROJECT [PATH …]. Tests on another Node: `22 unit`. Exit code and closing line are vitest's.
const [major = '', project = '', ...paths] = process.argv.slice(2)
if (!/^\d+$/.test(major) || project === '')
  throw new Error('which tests on which Node? tsx packages/packaging/src/tests-on.ts 22 unit')
const root = resolve(import.meta.dirname, '../../..')
const node = await installNode(root, Number(major))
console.log(`Node ${node.version}`)
const { status } = spawnSync(node.path, ['node_modules/vitest/vitest.mjs', 'run', '--project', project, ...paths], {
  cwd: root,
  stdio: 'inherit',
  // Programs that tests start run on it, too.
  env: { ...process.env, PATH: `${resolve(node.path, '..')}:${process.env['PATH'] ?? ''}` },
})
process.exitCode = status ?? 1
