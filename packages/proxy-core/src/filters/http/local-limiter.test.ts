import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createLocalLimiter, type LocalLimits } from './local-limiter.js'

const bucket = (max: number, fillMs = 60_000) => ({ max, perFill: 1, fillMs })
const entry = (key: string, value: string) => ({ entries: [{ key, value }] })
const limiter = (limits: Partial<LocalLimits>, clock = createFakeClock()) =>
  createLocalLimiter({ bucket: undefined, descriptors: [], alwaysDefault: true, maxDynamic: 20, ...limits }, clock)

describe('local limits', () => {
  it('take from the bucket of the descriptor and from the default one', () => {
    const own = limiter({ bucket: bucket(3), descriptors: [{ ...entry('user', 'ann'), bucket: bucket(2) }] })
    const take = (user: string): boolean => own.take([entry('user', user)]).allowed
    expect([take('ann'), take('ann'), take('ann')]).toEqual([true, true, false])
    expect([take('ben'), take('ben')]).toEqual([true, false])
  })

  it('spare the default bucket when told to', () => {
    const descriptors = [{ ...entry('user', 'ann'), bucket: bucket(2) }]
    const own = limiter({ bucket: bucket(1), descriptors, alwaysDefault: false })
    for (let i = 0; i < 2; i++) expect(own.take([entry('user', 'ann')]).allowed).toBe(true)
    expect(own.take([]).allowed).toBe(true)
    expect(own.take([]).allowed).toBe(false)
  })

  it('ask the slowest of several first, and tell of it', () => {
    const own = limiter({
      descriptors: [
        { ...entry('user', 'ann'), bucket: bucket(10, 1000) },
        { ...entry('path', '/'), bucket: bucket(1) },
      ],
    })
    const both = [entry('user', 'ann'), entry('path', '/')]
    expect(own.take(both)).toMatchObject({ allowed: true, config: { max: 1 } })
    const refused = own.take(both)
    expect([refused.allowed, refused.config?.max, refused.remaining()]).toEqual([false, 1, 0])
    // The quicker one was not asked: it has lost one token, to the request that passed.
    expect(own.take([entry('user', 'ann')]).remaining()).toBe(8)
  })

  it('want every entry, in order', () => {
    const two = [
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]
    const own = limiter({ descriptors: [{ entries: two, bucket: bucket(1) }] })
    for (let i = 0; i < 3; i++) expect(own.take([entry('a', '1')]).allowed).toBe(true)
    expect([own.take([{ entries: two }]).allowed, own.take([{ entries: two }]).allowed]).toEqual([true, false])
    expect(own.take([{ entries: [...two].reverse() }]).allowed).toBe(true)
  })

  it('give each value of its own a bucket where the value is left open, as many as there may be', () => {
    const own = limiter({ descriptors: [{ ...entry('user', ''), bucket: bucket(1) }], maxDynamic: 2 })
    const take = (user: string): boolean => own.take([entry('user', user)]).allowed
    expect([take('ann'), take('ann'), take('ben'), take('ben')]).toEqual([true, false, true, false])
    // A third sends away who came longest ago.
    expect([take('cat'), take('ben'), take('ann')]).toEqual([true, false, true])
  })

  it('take as many tokens as a request is worth, or none', () => {
    const own = limiter({ descriptors: [{ ...entry('user', 'ann'), bucket: bucket(3) }] })
    const take = (hits_addend: number): boolean => own.take([{ ...entry('user', 'ann'), hits_addend }]).allowed
    expect([take(2), take(2), take(1), take(1)]).toEqual([true, false, true, false])
  })
})
