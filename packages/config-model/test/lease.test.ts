import { electLeader, type LeaderElection } from '@heddle/config-model/kubernetes'
import type { Clock } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createFakeApiServer, type FakeApiServer } from '../src/kubernetes/testing.js'

const LEASES = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', plural: 'leases', namespaced: true }

let api: FakeApiServer
let replicas: LeaderElection[]
beforeEach(async () => {
  api = await createFakeApiServer([LEASES])
  replicas = []
})
afterEach(async () => {
  for (const replica of replicas) await replica.close()
  await api.close()
})

const clock = createFakeClock()
/** How often a replica has come to the pause between two looks. */
let pauses = 0
const watched: Clock = {
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  after(ms, run) {
    if (ms === 2_000) pauses++
    return clock.after(ms, run)
  },
}
const config = { getCurrentCluster: () => ({ server: api.url }), applyToHTTPSOptions: async () => {} }
/** A replica that has looked once. */
const start = async (identity: string, errors: string[] = []): Promise<LeaderElection & { readonly told: boolean[] }> => {
  const before = pauses
  const told: boolean[] = []
  const changed = (leading: boolean): void => void told.push(leading)
  const onError = (reason: string): void => void errors.push(reason)
  const lease = { namespace: 'istio-system', name: 'status', identity }
  const election = electLeader({ config, clock: watched, random: { next: () => 0 }, ...lease, changed, onError })
  replicas.push(election)
  await soon(() => expect(pauses).toBe(before + 1))
  return Object.defineProperty(Object.assign(Object.create(election), { told }), 'leading', {
    get: () => election.leading,
  }) as never
}
const spec = () => api.object('leases', 'istio-system', 'status')?.['spec'] as Record<string, unknown> | undefined
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 5 })
/** One more look of every replica, to its end. */
const nextLook = async (looks: number): Promise<void> => {
  const before = pauses
  clock.advance(2_000)
  await soon(() => expect(pauses).toBe(before + looks))
}

it('one of two leads, renews, and hands over at once when it closes', async () => {
  const first = await start('a')
  expect(first.leading).toBe(true)
  expect(spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 })
  const second = await start('b')
  // Far longer than a lease: the first one renews it.
  for (let i = 0; i < 20; i++) await nextLook(2)
  expect([first.leading, second.leading]).toEqual([true, false])
  await replicas[0]?.close()
  expect(first.told).toEqual([true, false])
  expect(spec()).toMatchObject({ holderIdentity: '' })
  await nextLook(1)
  expect(second.leading).toBe(true)
  expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
})

it('a lease that nobody renews is taken when its time is over, by the clock of who looks', async () => {
  api.set('leases', {
    metadata: { name: 'status', namespace: 'istio-system' },
    spec: { holderIdentity: 'gone', leaseDurationSeconds: 15, renewTime: '2001-01-01T00:00:00.000000Z', leaseTransitions: 4 },
  })
  const replica = await start('b')
  for (let i = 0; i < 7; i++) await nextLook(1)
  expect(replica.leading).toBe(false)
  await nextLook(1)
  expect(replica.leading).toBe(true)
  expect(spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 5 })
})

it('a leader that cannot renew stops to lead before its lease runs out, and leads again later', async () => {
  const errors: string[] = []
  const replica = await start('a', errors)
  api.setBroken(true)
  for (let i = 0; i < 4; i++) await nextLook(1)
  expect(errors[0]).toMatch(/503: down for a moment/)
  expect(replica.leading).toBe(true)
  await nextLook(1)
  expect(replica.leading).toBe(false)
  api.setBroken(false)
  await nextLook(1)
  expect(replica.told).toEqual([true, false, true])
})
