import { describe, expect, test } from 'vitest'
import { CDS, testServer, VARIANTS } from './fake-client.test-suite.js'

const clusters = (...names: string[]) => ({ [CDS]: names.map((name) => ({ name })) })

describe.each(VARIANTS)('%s', (variant) => {
  const gone = variant === 'sotw' ? 'Cluster b' : 'Cluster -a'

  test.each([
    [undefined, 2_000],
    [300, 300],
  ])('removalGraceMs %s: who asks for a cluster by name is told after %i ms that it is gone', (removalGraceMs, ms) => {
    const { clock, give, open } = testServer(removalGraceMs === undefined ? {} : { removalGraceMs })
    give(clusters('a', 'b'))
    const stream = open(variant)
    stream.ask(CDS, ['a', 'b'])
    stream.ack(CDS)
    stream.take()
    give(clusters('b'))
    clock.advance(ms - 1)
    expect(stream.take()).toEqual([])
    clock.advance(1)
    expect(stream.take()).toEqual([gone])
  })

  test.each([
    ['by name, without a grace', ['a', 'b'], 0],
    ['for all', ['*'], 2_000],
  ] as const)('who asks %s is told at once', (_, names, removalGraceMs) => {
    const { give, open } = testServer({ removalGraceMs })
    give(clusters('a', 'b'))
    const stream = open(variant)
    stream.ask(CDS, names)
    stream.ack(CDS)
    stream.take()
    give(clusters('b'))
    expect(stream.take()).toEqual([gone])
  })
})
