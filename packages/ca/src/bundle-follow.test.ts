import { createFakeClock, createMemoryLogger } from '@heddle/runtime/testing'
import { expect, it, vi } from 'vitest'
import { followBundle } from './bundle-follow.js'
import { createSelfSignedAuthority } from './self-signed.js'
import { type TrustBundle, writeSpiffeBundle } from './trust-bundle.js'

const random = { next: () => 0.5 }
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 2 })

async function bundleOf(sequence: number, refreshHintSeconds?: number): Promise<TrustBundle> {
  const { trustBundle } = await createSelfSignedAuthority({ clock: createFakeClock(), trustDomain: 'other.example' })
  const hint = refreshHintSeconds === undefined ? {} : { refreshHintSeconds }
  return { trustDomain: 'other.example', x509Authorities: trustBundle.current, sequence, ...hint }
}

it('is asked for as often as it says, and keeps the last one while it cannot be had', async () => {
  const clock = createFakeClock()
  const [first, second] = [await bundleOf(1, 60), await bundleOf(2)]
  const answers: (() => Promise<string>)[] = [
    async () => writeSpiffeBundle(first),
    () => Promise.reject(new Error('connection refused')),
    async () => '{"keys": 5}',
    async () => writeSpiffeBundle(second),
    async () => writeSpiffeBundle(first),
  ]
  const fetch = vi.fn(() => (answers.shift() as () => Promise<string>)())
  const { bundle, close } = followBundle({ trustDomain: 'other.example', fetch, clock, random, logger: createMemoryLogger() })
  await eventually(() => expect(bundle.current).toEqual(first))
  clock.advance(59_999)
  expect(fetch).toHaveBeenCalledTimes(1)
  clock.advance(1)
  for (let calls = 2; calls <= 4; calls++) {
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(calls))
    if (calls < 4) expect(bundle.current).toEqual(first)
    await eventually(() => expect(clock.pending).toBe(1))
    if (calls < 4) clock.advance(10_000)
  }
  await eventually(() => expect(bundle.current).toEqual(second))
  clock.advance(300_000)
  await eventually(() => expect(fetch).toHaveBeenCalledTimes(5))
  await eventually(() => expect(clock.pending).toBe(1))
  // A copy from before does not bring the old root back.
  expect(bundle.current).toEqual(second)
  close()
  expect(clock.pending).toBe(0)
})

it('that does not come in time is given up, and asked for again', async () => {
  const clock = createFakeClock()
  const signals: AbortSignal[] = []
  const fetch = (signal: AbortSignal): Promise<string> => {
    signals.push(signal)
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
  const logger = createMemoryLogger()
  const { close } = followBundle({ trustDomain: 'other.example', fetch, clock, random, logger })
  await eventually(() => expect(signals).toHaveLength(1))
  clock.advance(10_000)
  await eventually(() => expect(JSON.stringify(logger.entries)).toContain('no answer within 10000 ms'))
  clock.advance(2000)
  await eventually(() => expect(signals).toHaveLength(2))
  close()
  expect(signals[1]?.aborted).toBe(true)
})
