import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { lastWords, run } from './run.js'

/** Programs that look at packages. No dependencies of the repository: they weigh 160 MB, and `pnpm demo` on a fresh clone would wait. */
const TOOLS = {
  /** For `pnpm packaging`. */
  sources: { '@microsoft/api-extractor': '7.60.1', knip: '6.44.2' },
  /** For `pnpm pack-test`. */
  tarballs: {
    publint: '0.3.25',
    '@arethetypeswrong/cli': '0.18.5',
    jest: '30.5.2',
    'babel-jest': '30.5.2',
    '@babel/core': '7.29.13',
    '@babel/plugin-transform-modules-commonjs': '7.29.14',
  },
} as const

/** Installed once and kept below node_modules until the versions change. Returns the `node_modules` that holds them. */
export async function installTools(root: string, which: keyof typeof TOOLS): Promise<string> {
  const folder = join(root, 'node_modules/.cache/heddle-packaging', which)
  const wanted = JSON.stringify({ private: true, dependencies: TOOLS[which] })
  const done = join(folder, 'installed.json')
  if (!existsSync(done) || readFileSync(done, 'utf8') !== wanted) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), wanted)
    const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts']
    const finished = await run('npm', args, { cwd: folder, timeoutMs: 300_000 })
    if (finished.code !== 0) throw new Error(`npm cannot install ${Object.keys(TOOLS[which])}: ${lastWords(finished, 2000)}`)
    writeFileSync(done, wanted)
  }
  return join(folder, 'node_modules')
}
