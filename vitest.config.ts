import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { closingReporter } from './packages/conformance/src/test-run/reporter.js'

// Tests and type checks run on sources: the private condition maps every @heddle package to its src/.
const conditions = ['@heddle/source', 'node', 'default']

if (!existsSync(new URL('packages/xds-types/src/gen', import.meta.url)))
  throw new Error('packages/xds-types/src/gen is missing: run `pnpm install`, which generates it.')

const setup = (name: string): string => `./packages/conformance/src/test-run/${name}.ts`
// HEDDLE_INTEROP=1 says that everything is installed.
const complete = process.env['HEDDLE_INTEROP'] === '1'
const soak = process.env['HEDDLE_SOAK'] === '1'
// A change is not refused for a race that it did not make; what needed the second try is printed. Never in --soak, whose repeats look for it.
const secondTry = process.env['HEDDLE_SECOND_TRY'] === '1'
const filtered = process.argv.includes('-t')

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // For machines with two busy cores; tests wait for events, never for time.
    testTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    // Left to itself, Vitest keeps a core free: one of two, so that files wait for each other while most of them wait for time to pass.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    exclude: ['**/node_modules/**', '**/dist/**'],
    // In another order each time; the seed is printed.
    sequence: { shuffle: true },
    reporters: ['default', closingReporter({ complete, filtered, soak })],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // One process for many files: starting one for each took most of the time. The order is another each run, so what one file
          // leaves behind meets every other sooner or later; `--isolate` gives each its own again.
          isolate: false,
          include: ['packages/*/src/**/*.test.ts'],
          exclude: ['**/*.property.test.ts', '**/node_modules/**', '**/dist/**'],
          setupFiles: [setup('handles'), setup('no-sockets')],
        },
      },
      {
        extends: true,
        test: { name: 'properties', include: ['packages/*/{src,test}/**/*.property.test.ts'], setupFiles: [setup('no-sockets')] },
      },
      {
        extends: true,
        test: {
          name: 'sockets',
          include: ['packages/*/test/**/*.test.ts', 'examples/*/**/*.test.ts'],
          exclude: ['**/*.property.test.ts', '**/node_modules/**', '**/dist/**'],
          setupFiles: [setup('handles')],
          retry: secondTry ? 1 : 0,
        },
      },
    ],
  },
})

export default config
