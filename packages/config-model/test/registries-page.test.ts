import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as builders from '@heddle/config-model/builders'
import type { Registry } from '@heddle/config-model/registries'
import { type Clock, systemClock } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { type RegistryHarness, testRegistry } from '../src/registries/registry.test-suite.js'

const page = readFileSync(new URL('../../../docs/registries.md', import.meta.url), 'utf8')
const code = /```js\n([\s\S]*?)```/.exec(page)![1]!
const script = code.replace(/^import (\{.*\}) from .*$/m, 'const $1 = builders').replace('export function', 'return function')
const createInventoryRegistry = new Function('builders', script)(builders) as (options: { url: string; clock: Clock }) => Registry

// Five seconds of the page are five milliseconds here.
const clock: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 1000, run) }

testRegistry('of the page', async (): Promise<RegistryHarness> => {
  const services = new Map<string, object>()
  let broken = false
  const server = createServer((_request, response) => {
    if (broken) response.destroy()
    else response.end(JSON.stringify([...services.values()]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    registry: createInventoryRegistry({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, clock }),
    hostOf: (service) => `${service}.inventory.internal`,
    set: (name, addresses) => void services.set(name, { name, port: 8080, addresses }),
    remove: (name) => void services.delete(name),
    break: () => void (broken = true),
    mend: () => void (broken = false),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
})

it('the adapter of the page has about 20 lines', () => {
  const lines = code.slice(code.indexOf('follow(sink)')).trim().split('\n')
  expect(lines.length).toBeLessThanOrEqual(24)
})
