import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readYaml } from '../read.js'
import { createStore, type Store } from '../store.js'
import { type FollowedRegistry, followRegistry, type Registry } from './registry.js'

/** What stands behind a registry in a test, and how the test changes it. */
export interface RegistryHarness {
  readonly registry: Registry
  /** The hostname under which a service shows in the catalogue. */
  hostOf(service: string): string
  /** Makes or changes a service with these addresses on port 8080. */
  set(service: string, addresses: readonly string[]): Promise<void> | void
  remove(service: string): Promise<void> | void
  /** Makes the backend unable to answer; `mend` ends that. */
  break(): Promise<void> | void
  mend(): Promise<void> | void
  /** Lets time pass for registries that look again after a while. */
  tick?(): Promise<void> | void
  close(): Promise<void> | void
}

/** What every registry keeps. Run it for your own: `testRegistry('mine', createHarness)`. */
export function testRegistry(name: string, create: () => Promise<RegistryHarness>): void {
  describe(`registry ${name}`, () => {
    let harness: RegistryHarness
    let store: Store
    let followed: FollowedRegistry

    beforeEach(async () => {
      harness = await create()
      store = createStore()
    })
    afterEach(async () => {
      followed.close()
      await harness.close()
    })
    const follow = (): Promise<void> => {
      followed = followRegistry(harness.registry, { store })
      return followed.ready
    }
    const addresses = (service: string): readonly string[] | undefined => {
      const [found] = store.snapshot().servicesOf(harness.hostOf(service))
      const port = found?.ports[0]?.name
      return found === undefined || port === undefined
        ? undefined
        : store
            .snapshot()
            .endpoints(found, port)
            .map((endpoint) => `${endpoint.address}:${endpoint.port}`)
            .sort()
    }
    const soon = (service: string, wanted: readonly string[] | undefined): Promise<void> =>
      eventually(() => expect(addresses(service)).toEqual(wanted))
    const eventually = (check: () => void): Promise<void> =>
      vi.waitFor(
        async () => {
          await harness.tick?.()
          check()
        },
        { timeout: 20_000, interval: 10 },
      )

    it('is ready when everything is there, in one revision', async () => {
      await harness.set('tea', ['10.0.0.1', '10.0.0.2'])
      await harness.set('milk', ['10.0.0.3'])
      await follow()
      expect([addresses('tea'), addresses('milk')]).toEqual([['10.0.0.1:8080', '10.0.0.2:8080'], ['10.0.0.3:8080']])
      expect(store.revision).toBe(1)
      expect(followed.diagnostics.current).toEqual([])
    })

    it('is ready when there is nothing', async () => {
      await follow()
      expect(store.snapshot().services).toEqual([])
    })

    it('follows what comes, changes and goes, and leaves the rest as it is', async () => {
      await harness.set('milk', ['10.0.0.3'])
      await follow()
      const milk = store.snapshot().servicesOf(harness.hostOf('milk'))[0]
      await harness.set('tea', ['10.0.0.1'])
      await soon('tea', ['10.0.0.1:8080'])
      await harness.set('tea', ['10.0.0.2', '10.0.0.9'])
      await soon('tea', ['10.0.0.2:8080', '10.0.0.9:8080'])
      await harness.remove('tea')
      await soon('tea', undefined)
      expect(store.snapshot().servicesOf(harness.hostOf('milk'))[0]).toBe(milk)
    })

    it('keeps what it gave while the backend fails, says so, and catches up', async () => {
      await harness.set('tea', ['10.0.0.1'])
      await harness.set('milk', ['10.0.0.3'])
      await follow()
      await harness.break()
      await eventually(() => expect(followed.diagnostics.current).toMatchObject([{ code: 'config.registry', severity: 'error' }]))
      expect(addresses('tea')).toEqual(['10.0.0.1:8080'])
      await harness.set('tea', ['10.0.0.4'])
      await harness.remove('milk')
      await harness.mend()
      await soon('tea', ['10.0.0.4:8080'])
      await soon('milk', undefined)
      await eventually(() => expect(followed.diagnostics.current).toEqual([]))
    })

    it('does not touch what others have put into the store', async () => {
      const text =
        'apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: own, namespace: shop}\nspec: {hosts: [own.example], resolution: DNS, ports: [{number: 80, name: http, protocol: HTTP}]}\n'
      store.apply({ set: readYaml(text, { file: 'f' }).resources })
      await harness.set('tea', ['10.0.0.1'])
      await follow()
      await harness.remove('tea')
      await soon('tea', undefined)
      expect(store.snapshot().servicesOf('own.example')).toHaveLength(1)
    })

    it('gives nothing after its end', async () => {
      await harness.set('tea', ['10.0.0.1'])
      await follow()
      followed.close()
      const { revision } = store
      await harness.set('tea', ['10.0.0.2'])
      await harness.tick?.()
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(store.revision).toBe(revision)
    })
  })
}
