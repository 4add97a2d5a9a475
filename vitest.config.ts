import { existsSync } from 'node:fs'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

// Tests and type checks run on sources: the private condition maps every @heddle package to its src/.
const conditions = ['@heddle/source', 'node', 'default']

if (!existsSync(new URL('packages/xds-types/src/gen', import.meta.url)))
  throw new Error('packages/xds-types/src/gen is missing: run `pnpm install`, which generates it.')

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'packages/*/test/**/*.test.ts', 'examples/*/**/*.test.ts'],
    // For machines with two busy cores; tests wait for events, never for time.
    testTimeout: 30_000,
    expect: { poll: { timeout: 20_000 } },
    exclude: ['**/node_modules/**', '**/dist/**'],
    reporters: [
      'default',
      {
        // The closing line that contract and CI read.
        onTestRunEnd(modules) {
          let passed = 0
          let failed = 0
          for (const module of modules) {
            if (module.state() === 'failed' && [...module.children.allTests()].every((test) => test.result().state !== 'failed'))
              failed++
            for (const test of module.children.allTests()) {
              const { state } = test.result()
              if (state === 'passed') passed++
              else if (state === 'failed') failed++
            }
          }
          console.log(`${passed} passed, ${failed} failed`)
        },
      },
    ],
  },
})

export default config
