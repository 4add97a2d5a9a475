import { describe, expect, test } from 'vitest'
import {
  BuildError,
  type Change,
  createGraph,
  createMetricsRegistry,
  createSource,
  derive,
  deriveMany,
  index,
  join,
  type Read,
  renderPrometheus,
} from '../index.js'

interface Pod {
  app: string
  ip: string
}

function pods() {
  const graph = createGraph({ verify: true })
  const source = createSource<Pod>({ graph, name: 'pods' })
  return { graph, source }
}

describe('derive', () => {
  test('builds what is there, then only what changed', () => {
    const { graph, source } = pods()
    source.apply([
      ['a', { app: 'web', ip: '10.0.0.1' }],
      ['b', { app: 'web', ip: '10.0.0.2' }],
    ])
    const ips = derive(source, (pod) => ({ ip: pod.ip }), { name: 'ips' })
    expect(graph.builds.get('ips')).toBe(2)
    source.set('a', { app: 'api', ip: '10.0.0.3' })
    expect(ips.get('a')).toEqual({ ip: '10.0.0.3' })
    expect(graph.builds.get('ips')).toBe(3)
    source.delete('b')
    expect([...ips.entries()]).toEqual([['a', { ip: '10.0.0.3' }]])
    expect(graph.builds.get('ips')).toBe(3)
  })

  test('keeps an equal output and stops the wave there', () => {
    const { graph, source } = pods()
    source.set('a', { app: 'web', ip: '10.0.0.1' })
    const ips = derive(source, (pod) => ({ ip: pod.ip }), { name: 'ips' })
    const upper = derive(ips, ({ ip }) => ({ ip: `ip ${ip}` }), { name: 'upper' })
    const before = ips.get('a')
    const heard: unknown[] = []
    ips.subscribe((changes) => heard.push(changes))
    source.set('a', { app: 'api', ip: '10.0.0.1' })
    expect(graph.builds.get('ips')).toBe(2)
    expect(graph.builds.get('upper')).toBe(1)
    expect(ips.get('a')).toBe(before)
    expect(upper.size).toBe(1)
    expect(heard).toEqual([])
  })

  test('an equal write to a source is no change', () => {
    const { graph, source } = pods()
    source.set('a', { app: 'web', ip: '1' })
    derive(source, ({ ip }) => ip, { name: 'ips' })
    const before = source.get('a')
    source.set('a', { app: 'web', ip: '1' })
    expect(source.get('a')).toBe(before)
    expect(graph.builds.get('ips')).toBe(1)
  })

  test('depends on what it read, present or not, and no longer on what it stopped reading', () => {
    const { graph, source } = pods()
    const names = createSource<string>({ graph, name: 'names' })
    source.set('a', { app: 'x', ip: '1' })
    const named = derive(source, (pod, read) => `${pod.ip} ${read.get(names, pod.app) ?? '-'}`, { name: 'named' })
    expect(named.get('a')).toBe('1 -')
    names.set('x', 'X')
    expect(named.get('a')).toBe('1 X')
    names.set('y', 'Y')
    expect(graph.builds.get('named')).toBe(2)
    source.set('a', { app: 'y', ip: '1' })
    names.set('x', 'XX')
    expect(graph.builds.get('named')).toBe(3)
    expect(named.get('a')).toBe('1 Y')
  })

  test('reads all of a collection, sorted by key, the same array until something changes', () => {
    const { graph, source } = pods()
    const one = createSource<string>({ graph, name: 'one' })
    one.set('only', 'x')
    source.apply([
      ['b', { app: 'web', ip: '2' }],
      ['a', { app: 'web', ip: '1' }],
    ])
    const seen: (readonly Pod[])[] = []
    const list = derive(
      one,
      (_input, read) => {
        const values = read.all(source)
        seen.push(values)
        return values.map(({ ip }) => ip).join()
      },
      { name: 'list' },
    )
    expect(list.get('only')).toBe('1,2')
    one.set('only', 'y')
    expect(seen.at(-1)).toBe(seen[0])
    source.delete('b')
    expect(list.get('only')).toBe('1')
  })

  test('a diamond sees one moment only', () => {
    const graph = createGraph({ verify: true })
    const source = createSource<number>({ graph, name: 'source' })
    source.set('n', 1)
    const left = derive(source, (n) => n * 10, { name: 'left' })
    const right = derive(source, (n) => n * 100, { name: 'right' })
    const seen: string[] = []
    const sum = derive(
      left,
      (n, read) => {
        const other = read.get(right, 'n')
        seen.push(`${n}/${other}`)
        return n + other!
      },
      { name: 'sum' },
    )
    source.set('n', 2)
    expect(new Set(seen)).toEqual(new Set(['10/100', '20/200']))
    expect(sum.get('n')).toBe(220)
    expect(graph.builds.get('sum')).toBe(2)
  })

  test('a read found in the middle of a pass is settled first', () => {
    const graph = createGraph({ verify: true })
    const source = createSource<number>({ graph, name: 'source' })
    source.set('n', 1)
    // `early` is made first and reads `late` only from 2 on: it would run before it in order of creation.
    let late: ReturnType<typeof derive<number, number>> | undefined
    const early = derive(source, (n, read) => (n < 2 ? 0 : read.get(late!, 'n')), { name: 'early' })
    late = derive(source, (n) => n * 10, { name: 'late' })
    source.set('n', 2)
    expect(early.get('n')).toBe(20)
    expect(graph.builds.get('early')).toBe(2)
  })
})

test('deriveMany spreads outputs; the first input by key wins a shared key', () => {
  const graph = createGraph({ verify: true })
  const source = createSource<string[]>({ graph, name: 'source' })
  const hosts = deriveMany(source, (names, _read, key) => names.map((name) => [name, `${name} of ${key}`]), { name: 'hosts' })
  source.set('b', ['x', 'y'])
  source.set('a', ['y', 'z'])
  expect(Object.fromEntries(hosts.entries())).toEqual({ x: 'x of b', y: 'y of a', z: 'z of a' })
  source.delete('a')
  expect(Object.fromEntries(hosts.entries())).toEqual({ x: 'x of b', y: 'y of b' })
  hosts.dispose()
  source.dispose()
})

test('index groups by key and is itself a collection to derive from', () => {
  const { graph, source } = pods()
  const byApp = index(source, (pod) => pod.app, { name: 'byApp' })
  const counts = derive(byApp, (group) => group.length, { name: 'counts' })
  source.apply([
    ['b', { app: 'web', ip: '2' }],
    ['a', { app: 'web', ip: '1' }],
    ['c', { app: 'api', ip: '3' }],
  ])
  const web = byApp.list('web')
  expect(web.map(({ ip }) => ip)).toEqual(['1', '2'])
  const builds = graph.builds.get('counts')
  source.set('c', { app: 'api', ip: '4' })
  expect(byApp.list('web')).toBe(web)
  expect(graph.builds.get('counts')).toBe(builds! + 1)
  source.set('a', { app: 'api', ip: '1' })
  expect(Object.fromEntries(counts.entries())).toEqual({ web: 1, api: 2 })
  source.delete('b')
  expect(byApp.get('web')).toBeUndefined()
  expect(byApp.list('web')).toEqual([])
})

test('join takes the first, or merges', () => {
  const graph = createGraph({ verify: true })
  const a = createSource<number>({ graph, name: 'a' })
  const b = createSource<number>({ graph, name: 'b' })
  const first = join([a, b], { name: 'first' })
  const sum = join([a, b], { name: 'sum', merge: (values) => values.reduce((x, y) => x + y) })
  b.set('k', 1)
  a.set('k', 2)
  expect([first.get('k'), sum.get('k')]).toEqual([2, 3])
  a.delete('k')
  expect([first.get('k'), sum.get('k')]).toEqual([1, 1])
})

describe('subscribers', () => {
  test('hear one batch a pass, after everything has settled', () => {
    const { graph, source } = pods()
    const other = createSource<number>({ graph, name: 'other' })
    const ips = derive(source, ({ ip }, read, key) => `${ip}:${read.get(other, key) ?? 0}`, { name: 'ips' })
    const heard: (readonly Change<string>[])[] = []
    ips.subscribe((changes) => heard.push(changes))
    graph.batch(() => {
      source.set('a', { app: 'web', ip: '1' })
      source.set('b', { app: 'web', ip: '2' })
      other.set('a', 80)
      expect(source.size).toBe(0)
    })
    expect(heard).toEqual([
      [
        { key: 'a', after: '1:80' },
        { key: 'b', after: '2:0' },
      ],
    ])
    source.delete('a')
    expect(heard[1]).toEqual([{ key: 'a', before: '1:80' }])
  })

  test('may write, subscribe and unsubscribe while they are told', () => {
    const graph = createGraph({ verify: true })
    const source = createSource<number>({ graph, name: 'source' })
    const doubled = derive(source, (n) => n * 2, { name: 'doubled' })
    const log: string[] = []
    const offs: (() => void)[] = []
    source.subscribe((changes) => {
      log.push(`source ${changes[0]!.after}, doubled ${doubled.get('n')}`)
      if (source.get('n')! < 3) source.set('n', source.get('n')! + 1)
      offs[0]?.()
      if (log.length === 1) doubled.subscribe((later) => log.push(`late ${later[0]!.after}`))
    })
    offs.push(doubled.subscribe(() => log.push('never: it was unsubscribed by then')))
    source.set('n', 1)
    expect(log).toEqual(['source 1, doubled 2', 'source 2, doubled 4', 'late 4', 'source 3, doubled 6', 'late 6'])
  })

  test('one that throws does not keep the others from hearing', () => {
    const graph = createGraph()
    const source = createSource<number>({ graph, name: 'source' })
    let heard = 0
    source.subscribe(() => {
      throw new Error('mine')
    })
    source.subscribe(() => heard++)
    expect(() => source.set('n', 1)).toThrow('mine')
    expect(heard).toBe(1)
    expect(source.get('n')).toBe(1)
  })

  test('one that answers every change with another is stopped', () => {
    const graph = createGraph()
    const source = createSource<number>({ graph, name: 'source' })
    source.subscribe(() => source.set('n', source.get('n')! + 1))
    expect(() => source.set('n', 1)).toThrow(/passes in a row/)
    expect(source.get('n')).toBe(1_000)
  })
})

test('reset makes its entries the whole content, in one pass', () => {
  const graph = createGraph({ verify: true })
  const source = createSource<number>({ graph, name: 'source' })
  source.apply(Object.entries({ a: 1, b: 2, c: 3 }))
  const heard: (readonly Change<number>[])[] = []
  source.subscribe((changes) => heard.push(changes))
  source.reset(Object.entries({ b: 2, c: 4, d: 5 }))
  expect(heard).toEqual([
    [
      { key: 'c', before: 3, after: 4 },
      { key: 'd', after: 5 },
      { key: 'a', before: 1 },
    ],
  ])
})

test('builds are counted by name, for metrics too', () => {
  const metrics = createMetricsRegistry()
  const graph = createGraph({ metrics })
  const source = createSource<number>({ graph, name: 'source' })
  derive(source, (n) => n, { name: 'derived' })
  source.set('a', 1)
  source.set('a', 2)
  source.delete('a')
  expect(graph.builds.get('derived')).toBe(2)
  expect(renderPrometheus(metrics)).toContain('heddle_collection_builds_total{collection="derived"} 2')
})

test('many keys in one batch are one pass over each node', () => {
  const graph = createGraph()
  const source = createSource<number>({ graph, name: 'source' })
  const odd = index(source, (n) => String(n % 2), { name: 'odd' })
  const sums = derive(odd, (group) => group.reduce((a, b) => a + b, 0), { name: 'sums' })
  graph.batch(() => {
    for (let n = 0; n < 1_000; n++) source.set(String(n), n)
  })
  expect(Object.fromEntries(sums.entries())).toEqual({ 0: 249_500, 1: 250_000 })
  expect(graph.builds).toEqual(
    new Map([
      ['odd', 2],
      ['sums', 2],
    ]),
  )
})

test('a batch that throws applies nothing', () => {
  const { graph, source } = pods()
  expect(() =>
    graph.batch(() => {
      source.set('a', { app: 'web', ip: '1' })
      throw new Error('half way')
    }),
  ).toThrow('half way')
  expect(source.size).toBe(0)
})

describe('a build that throws', () => {
  const build = (n: number): number => {
    if (n < 0) throw new Error('negative')
    return n
  }

  test('loses its own key only, and is reported after the pass', () => {
    const graph = createGraph({ verify: true })
    const source = createSource<number>({ graph, name: 'source' })
    const derived = derive(source, build, { name: 'derived' })
    source.set('a', 1)
    expect(() =>
      source.apply([
        ['a', -1],
        ['b', 2],
      ]),
    ).toThrow(new BuildError('derived', 'a', new Error('negative')))
    expect([...derived.entries()]).toEqual([['b', 2]])
    source.set('a', 3)
    expect(derived.get('a')).toBe(3)
  })

  test('goes to onError if there is one', () => {
    const errors: BuildError[] = []
    const graph = createGraph({ onError: (error) => errors.push(error) })
    const source = createSource<number>({ graph, name: 'source' })
    derive(source, build, { name: 'derived' })
    index(source, (n) => String(build(n)), { name: 'index' })
    source.set('a', -1)
    expect(errors.map(({ message }) => message)).toEqual(['building index[a]: negative', 'building derived[a]: negative'])
  })
})

test('data that cannot be compared costs its own key only', () => {
  const errors: string[] = []
  const graph = createGraph({ onError: ({ message }) => errors.push(message) })
  const source = createSource<number>({ graph, name: 'source' })
  const cyclic = (n: number): object => {
    const value: { n: number; self?: object } = { n }
    value.self = value
    return value
  }
  const derived = derive(source, (n) => (n === 1 || n === 2 ? cyclic(0) : { n }), { name: 'derived' })
  source.set('a', 1)
  source.apply([
    ['a', 2],
    ['b', 3],
  ])
  expect(errors).toHaveLength(1)
  expect(errors[0]).toMatch(/^building derived\[a\]: /)
  expect([...derived.entries()]).toEqual([['b', { n: 3 }]])
})

describe('refuses', () => {
  test('an impure build in verify mode', () => {
    const graph = createGraph({ verify: true })
    const source = createSource<number>({ graph, name: 'source' })
    let calls = 0
    derive(source, () => calls++, { name: 'impure' })
    expect(() => source.set('a', 1)).toThrow(/impure\[a\] is not what a rebuild/)
  })

  test('looking past read, writing and watching in a build', () => {
    const graph = createGraph()
    const source = createSource<number>({ graph, name: 'source' })
    source.set('a', 1)
    expect(() => derive(source, () => source.get('a'), { name: 'past' })).toThrow(/looks at source past read/)
    expect(() => derive(source, () => source.set('b', 1), { name: 'writes' })).toThrow(/pure function/)
    expect(() => derive(source, () => source.subscribe(() => {}), { name: 'watches' })).toThrow(/pure function/)
  })

  test('read after its build', () => {
    const graph = createGraph()
    const source = createSource<number>({ graph, name: 'source' })
    const kept: Read[] = []
    derive(source, (_n, read) => kept.push(read), { name: 'keeps' })
    source.set('a', 1)
    expect(() => kept[0]!.get(source, 'a')).toThrow('read of keeps is used after its build')
  })

  test('a collection of another make', () => {
    const graph = createGraph()
    const source = createSource<number>({ graph, name: 'source' })
    expect(() => derive({ ...source, name: 'copy' }, (n) => n, { name: 'd' })).toThrow(/copy is not a collection of/)
  })

  test('cycles', () => {
    const graph = createGraph()
    const source = createSource<number>({ graph, name: 'source' })
    const loop: { b?: ReturnType<typeof derive<number, number>> } = {}
    const a = derive(source, (n, read) => (loop.b === undefined ? n : read.get(loop.b, 'k')), { name: 'a' })
    loop.b = derive(source, (n, read) => n + (read.get(a, 'k') ?? 0), { name: 'b' })
    expect(() => source.set('k', 1)).toThrow(/a is built from itself|b is built from itself/)
  })

  test('another graph', () => {
    const a = createSource<number>({ graph: createGraph(), name: 'a' })
    const b = createSource<number>({ graph: createGraph(), name: 'b' })
    b.set('x', 1)
    expect(() => join([a, b], { name: 'j' })).toThrow(/different graphs/)
    expect(() => derive(b, (_n, read) => read.get(a, 'x'), { name: 'd' })).toThrow(/another graph/)
  })
})

test('dispose takes a collection out, once nobody uses it', () => {
  const { graph, source } = pods()
  const byApp = index(source, (pod) => pod.app, { name: 'byApp' })
  const one = createSource<string>({ graph, name: 'one' })
  const sizes = derive(one, (app, read) => read.list(byApp, app).length, { name: 'sizes' })
  one.set('k', 'web')
  expect(() => source.dispose()).toThrow('pods is still used by byApp')
  expect(() => byApp.dispose()).toThrow('byApp is still used by sizes')
  sizes.dispose()
  byApp.dispose()
  source.set('a', { app: 'web', ip: '1' })
  expect(graph.builds.get('byApp')).toBeUndefined()
  expect(sizes.size).toBe(0)
})
