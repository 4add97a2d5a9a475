import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { endWorld, reports, scene, startWorld } from './grpc-world.js'

// In a file of its own: this client goes on reporting after an outage.

beforeAll(startWorld, 30_000)
afterAll(endWorld)

test('load reports tell what was called (line 89)', async () => {
  const { give, ask } = scene('load')
  give({ weights: { v2: 100 }, cluster: { lrs_server: { self: {} } } })
  const succeeded = (): number => {
    const loads = reports.loads.current.filter(({ cluster }) => cluster === 'load.v2')
    return loads.flatMap(({ localities }) => localities).reduce((sum, locality) => sum + locality.succeeded, 0)
  }
  await vi.waitFor(async () => {
    for (let i = 0; i < 10; i++) await ask()
    expect(succeeded()).toBeGreaterThanOrEqual(20)
  }, 10_000)
})
