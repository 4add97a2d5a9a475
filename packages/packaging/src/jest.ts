import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Consumer } from './consumer.js'
import type { NodeVersion } from './nodes.js'
import type { Packed } from './pack.js'
import type { Example } from './readme.js'
import { lastWords, run } from './run.js'

/** A Jest test in CommonJS: the example as the compiler made it for CommonJS, and every entry point, by require(). */
export function jestTest(specifiers: readonly string[], example: Example | undefined): string {
  const calls = specifiers.map((one) => `  expect(Object.keys(require('${one}')).length).toBeGreaterThan(0)\n`).join('')
  const readme = `const { format } = require('node:util')
test('the example of the README', async () => {
  let said = ''
  console.log = (...words) => void (said += format(...words) + '\\n')
  await require('./readme.cjs').done
  for (const text of ${JSON.stringify(example?.prints ?? [])}) {
    expect(said).toContain(text)
    said = said.slice(said.indexOf(text) + text.length)
  }
})
`
  return `test('every entry point', () => {\n${calls}})\n${example === undefined ? '' : readme}`
}

interface JestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly status: string
      readonly fullName: string
      readonly failureMessages: readonly string[]
    }[]
  }[]
}

/** Jest can require() ES modules by itself from Node 24.9 on; before, a transform makes CommonJS of them. */
function settings(node: NodeVersion, modules: string): object {
  const own = { rootDir: '.', testMatch: ['<rootDir>/out/*/jest.cjs'], testEnvironment: 'node', testTimeout: 60_000 }
  if (node.major >= 24) return { ...own, transform: {} }
  const plugins = [join(modules, '@babel/plugin-transform-modules-commonjs')]
  const babel = [join(modules, 'babel-jest'), { plugins, babelrc: false, configFile: false }]
  return { ...own, transform: { '\\.m?js$': babel }, transformIgnorePatterns: [] }
}

/** Runs the Jest tests of all packages in one go; returns what is wrong, by package. */
export async function runJest(
  packed: readonly Packed[],
  { consumer, node, modules }: { consumer: Consumer; node: NodeVersion; modules: string },
): Promise<ReadonlyMap<string, readonly string[]>> {
  const config = join(consumer.folder, `jest.${node.major}.json`)
  writeFileSync(config, JSON.stringify(settings(node, modules)))
  const flags = node.major >= 24 ? ['--experimental-vm-modules', '--no-warnings'] : []
  // Some examples go on serving: --forceExit.
  const args = [...flags, join(modules, '.bin/jest'), '-c', config, '--runInBand', '--forceExit', '--json']
  const finished = await run(node.path, args, { cwd: consumer.folder, timeoutMs: 300_000 })
  const report = readReport(finished.stdout)
  return new Map(
    packed.map((one) => {
      const found = report?.testResults.find(({ name }) => name.endsWith(join('out', one.package.short, 'jest.cjs')))
      if (found === undefined) return [one.package.name, [`Jest did not run it: ${lastWords(finished)}`]]
      const failed = found.assertionResults.filter(({ status }) => status !== 'passed')
      const whole = found.assertionResults.length === 0 ? [oneLine(found.message)] : []
      return [one.package.name, [...whole, ...failed.map((test) => `${test.fullName}: ${oneLine(test.failureMessages.join())}`)]]
    }),
  )
}

function readReport(stdout: string): JestReport | undefined {
  try {
    return JSON.parse(stdout.slice(stdout.indexOf('{'))) as JestReport
  } catch {
    return undefined
  }
}

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' | ').slice(0, 400)
