import { describe, expect, test } from 'vitest'
import { createModelClient, type ModelClient, type Variant } from './protocol-harness.test-suite.js'

// Both machines by one table. `lines` are those of the xDS protocol checklist (see PROTOCOL.md); a step is what is done and what the
// server sends because of it: `cds a@1 -b` is a response of that type with resource a in version 1 and b removed.
interface Scenario {
  lines: string
  title: string
  only?: Variant
  steps: readonly (readonly [
    act: (client: ModelClient) => void,
    sends: readonly string[] | { sotw: readonly string[]; delta: readonly string[] },
  ])[]
}

const AB = { a: '1', b: '1' }

const SCENARIOS: readonly Scenario[] = [
  {
    lines: '28, 52, 54',
    title: 'an empty first request asks for everything, now and later',
    steps: [
      [(c) => c.set({ cds: AB }), []],
      [(c) => c.subscribe('cds'), ['cds a@1 b@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.set({ cds: { a: '2', b: '1' } }), { sotw: ['cds a@2 b@1'], delta: ['cds a@2'] }],
      [(c) => c.ack('cds'), []],
      [(c) => c.set({ cds: { a: '2', b: '1', c: '1' } }), { sotw: ['cds a@2 b@1 c@1'], delta: ['cds c@1'] }],
    ],
  },
  {
    lines: '28',
    title: 'who asks for everything is answered when there is nothing, too: Envoy waits for it before it serves',
    steps: [
      [(c) => c.set({}), []],
      [(c) => c.subscribe('lds'), ['lds']],
      [(c) => c.ack('lds'), []],
      [(c) => c.set({ lds: { a: '1' } }), ['lds a@1']],
    ],
  },
  {
    lines: '69',
    title: 'a node without a snapshot waits, and the first snapshot answers it',
    steps: [
      [(c) => c.subscribe('cds'), []],
      [(c) => c.subscribe('eds', 'x'), []],
      [(c) => c.set({ cds: { a: '1' }, eds: { x: '1' } }), ['cds a@1', 'eds x@1']],
    ],
  },
  {
    lines: '69',
    title: 'an equal snapshot is not pushed',
    steps: [
      [(c) => c.subscribe('cds'), []],
      [(c) => c.set({ cds: AB }), ['cds a@1 b@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.set({ cds: { b: '1', a: '1' } }), []],
    ],
  },
  {
    lines: '15',
    title: 'an ACK is not answered',
    steps: [
      [(c) => c.set({ lds: AB, eds: AB }), []],
      [(c) => c.subscribe('lds'), ['lds a@1 b@1']],
      [(c) => c.ack('lds'), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@1']],
      [(c) => c.ack('eds'), []],
    ],
  },
  {
    lines: '17, 26',
    title: 'a NACK is not answered with the same again; the next change is sent',
    steps: [
      [(c) => c.set({ cds: AB }), []],
      [(c) => c.subscribe('cds'), ['cds a@1 b@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.set({ cds: { a: 'bad', b: '1' } }), { sotw: ['cds a@bad b@1'], delta: ['cds a@bad'] }],
      [(c) => c.nack('cds'), []],
      [(c) => c.set({ cds: { a: 'bad', b: '1' } }), []],
      [(c) => c.set({ cds: { a: '3', b: '1' } }), { sotw: ['cds a@3 b@1'], delta: ['cds a@3'] }],
    ],
  },
  {
    lines: '26',
    title: 'what was refused is sent when it is asked for again',
    only: 'delta',
    steps: [
      [(c) => c.set({ eds: { a: 'bad' } }), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@bad']],
      [(c) => c.nack('eds'), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@bad']],
    ],
  },
  {
    lines: '29, 30, 31',
    title: 'from the legacy wildcard to wildcard and a name, to the name, to nothing',
    steps: [
      [(c) => c.set({ cds: { A: '1', B: '1' } }), []],
      [(c) => c.subscribe('cds'), ['cds A@1 B@1']],
      [(c) => c.ack('cds'), []],
      // SotW has to spell the wildcard out from here on.
      [(c) => c.subscribe('cds', '*', 'A'), { sotw: ['cds A@1 B@1'], delta: ['cds A@1 B@1'] }],
      [(c) => c.ack('cds'), []],
      [(c) => c.set({ cds: { A: '1', B: '2' } }), { sotw: ['cds A@1 B@2'], delta: ['cds B@2'] }],
      [(c) => c.ack('cds'), []],
      [(c) => c.unsubscribe('cds', '*'), []],
      [(c) => c.set({ cds: { A: '1', B: '3' } }), []],
      [(c) => c.set({ cds: { A: '2', B: '3' } }), ['cds A@2']],
      [(c) => c.ack('cds'), []],
      [(c) => c.unsubscribe('cds', 'A'), []],
      [(c) => c.set({ cds: { A: '9', B: '9' } }), []],
    ],
  },
  {
    lines: '33',
    title: 'an empty first request for a type without a legacy wildcard asks for nothing',
    steps: [
      [(c) => c.set({ eds: AB }), []],
      [(c) => c.subscribe('eds'), []],
      [(c) => c.set({ eds: { a: '2', b: '1' } }), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@2']],
    ],
  },
  {
    lines: '31',
    title: 'the explicit wildcard works for any type',
    steps: [
      [(c) => c.set({ eds: AB }), []],
      [(c) => c.subscribe('eds', '*'), ['eds a@1 b@1']],
      [(c) => c.ack('eds'), []],
      [(c) => c.set({ eds: { a: '2', b: '1' } }), ['eds a@2']],
    ],
  },
  {
    lines: '34, 35',
    title: 'a new name is answered although it has not changed; dropped and named again, it is sent again',
    steps: [
      [(c) => c.set({ rds: AB }), []],
      [(c) => c.subscribe('rds', 'a'), ['rds a@1']],
      [(c) => c.ack('rds'), []],
      [(c) => c.subscribe('rds', 'b'), ['rds b@1']],
      [(c) => c.ack('rds'), []],
      [(c) => c.unsubscribe('rds', 'a'), []],
      [(c) => c.set({ rds: { a: '2', b: '1' } }), []],
      [(c) => c.subscribe('rds', 'a'), ['rds a@2']],
    ],
  },
  {
    lines: '36',
    title: 'an unsubscribed name is sent no more',
    steps: [
      [(c) => c.set({ lds: AB }), []],
      [(c) => c.subscribe('lds', 'a', 'b'), ['lds a@1 b@1']],
      [(c) => c.ack('lds'), []],
      [(c) => c.unsubscribe('lds', 'b'), []],
      [(c) => c.set({ lds: { a: '1', b: '2' } }), []],
      [(c) => c.set({ lds: { a: '2', b: '2' } }), ['lds a@2']],
    ],
  },
  {
    lines: '37',
    title: 'subscribed again while current: sent again, and the wildcard too',
    only: 'delta',
    steps: [
      [(c) => c.set({ cds: AB, eds: AB }), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@1']],
      [(c) => c.ack('eds'), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@1']],
      [(c) => c.subscribe('cds', '*'), ['cds a@1 b@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.subscribe('cds', '*'), ['cds a@1 b@1']],
    ],
  },
  {
    lines: '38',
    title: 'unsubscribing from what was never asked for does nothing',
    only: 'delta',
    steps: [
      [(c) => c.set({ eds: AB }), []],
      [(c) => c.subscribe('eds', 'a'), ['eds a@1']],
      [(c) => c.ack('eds'), []],
      [(c) => c.unsubscribe('eds', 'b', 'nonsense'), []],
    ],
  },
  {
    lines: '39',
    title: 'a name dropped under a wildcard is answered: it is still there, or it is gone',
    only: 'delta',
    steps: [
      [(c) => c.set({ cds: AB }), []],
      [(c) => c.subscribe('cds', '*', 'a', 'ghost'), ['cds -ghost a@1 b@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.unsubscribe('cds', 'a'), ['cds a@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.unsubscribe('cds', 'ghost'), ['cds -ghost']],
    ],
  },
  {
    lines: '41, 42',
    title: 'a name that does not exist stays subscribed and is sent when it is created',
    steps: [
      [(c) => c.set({ eds: {}, lds: {} }), []],
      [(c) => c.subscribe('eds', 'x'), { sotw: [], delta: ['eds -x'] }],
      [(c) => c.subscribe('lds', 'x'), { sotw: ['lds'], delta: ['lds -x'] }],
      [(c) => c.ackAll(), []],
      [(c) => c.set({ eds: { x: '1' }, lds: { x: '1' } }), ['eds x@1', 'lds x@1']],
    ],
  },
  {
    lines: '46',
    title: 'names twice in one request count once; an empty name is none',
    steps: [
      [(c) => c.set({ rds: AB }), []],
      [(c) => c.subscribe('rds', 'a', 'a', ''), { sotw: ['rds a@1'], delta: ['rds a@1'] }],
    ],
  },
  {
    lines: '53',
    title: 'the last resource goes: LDS and CDS say so, SotW RDS and EDS cannot',
    steps: [
      [(c) => c.set({ lds: { a: '1' }, eds: { a: '1' } }), []],
      [(c) => c.subscribe('lds'), ['lds a@1']],
      [(c) => c.subscribe('eds', 'a'), ['eds a@1']],
      [(c) => c.ackAll(), []],
      // The endpoints go when the listeners have gone.
      [(c) => c.set({}), { sotw: ['lds'], delta: ['lds -a'] }],
      [(c) => c.ackAll(), { sotw: [], delta: ['eds -a'] }],
    ],
  },
  {
    lines: '56, 57',
    title: 'while a response is unanswered nothing of its type is sent; then only the newest',
    steps: [
      [(c) => c.subscribe('cds'), []],
      [(c) => c.set({ cds: { a: '1' } }), ['cds a@1']],
      [(c) => c.set({ cds: { a: '2' } }), []],
      [(c) => c.set({ cds: { a: '3' } }), []],
      [(c) => c.ack('cds'), ['cds a@3']],
      [(c) => c.ack('cds'), []],
    ],
  },
  {
    lines: '57',
    title: 'what comes back to the same while an answer is awaited is not sent',
    steps: [
      [(c) => c.subscribe('cds'), []],
      [(c) => c.set({ cds: { a: '1' } }), ['cds a@1']],
      [(c) => c.set({ cds: { a: '2' } }), []],
      [(c) => c.set({ cds: { a: '1' } }), []],
      [(c) => c.ack('cds'), []],
    ],
  },
  {
    lines: '57',
    title: 'after the deadline newer content goes out without the answer',
    steps: [
      [(c) => c.subscribe('cds'), []],
      [(c) => c.set({ cds: { a: '1' } }), ['cds a@1']],
      [(c) => c.set({ cds: { a: '2' } }), []],
      [(c) => c.timeout('cds'), ['cds a@2']],
    ],
  },
  {
    lines: '64',
    title: 'CDS, EDS, LDS, RDS, SDS, whatever the order of the requests',
    steps: [
      ...(['sds', 'rds', 'lds', 'eds', 'cds'] as const).map((type) => [(c: ModelClient) => c.subscribe(type, 'a'), []] as const),
      [
        (c) => c.set({ cds: { a: '1' }, eds: { a: '1' }, lds: { a: '1' }, rds: { a: '1' }, sds: { a: '1' } }),
        ['cds a@1', 'eds a@1', 'lds a@1', 'rds a@1', 'sds a@1'],
      ],
    ],
  },
  {
    lines: '65',
    title: 'make before break: the new cluster, the route, and only then the old cluster goes',
    steps: [
      [(c) => c.set({ cds: { old: '1' }, rds: { r: 'old' } }), []],
      [(c) => c.subscribe('cds'), ['cds old@1']],
      [(c) => c.subscribe('rds', 'r'), ['rds r@old']],
      [(c) => c.ackAll(), []],
      [
        (c) => c.set({ cds: { new: '1' }, rds: { r: 'new' } }),
        { sotw: ['cds new@1 old@1', 'rds r@new'], delta: ['cds new@1', 'rds r@new'] },
      ],
      [(c) => c.ack('cds'), []],
      [(c) => c.ack('rds'), { sotw: ['cds new@1'], delta: ['cds -old'] }],
      [(c) => c.ack('cds'), []],
    ],
  },
  {
    lines: '65',
    title: 'a refused route keeps the cluster it still leads to',
    steps: [
      [(c) => c.set({ cds: { old: '1' }, rds: { r: 'old' } }), []],
      [(c) => c.subscribe('cds'), ['cds old@1']],
      [(c) => c.subscribe('rds', 'r'), ['rds r@old']],
      [(c) => c.ackAll(), []],
      [(c) => c.set({ rds: { r: 'bad' } }), ['rds r@bad']],
      [(c) => c.nack('rds'), []],
      [(c) => c.set({ rds: { r: 'good' } }), ['rds r@good']],
      [(c) => c.ack('rds'), { sotw: ['cds'], delta: ['cds -old'] }],
    ],
  },
  {
    lines: '65',
    title: 'a removal that is taken back in time is no removal',
    steps: [
      [(c) => c.set({ cds: { old: '1' }, rds: { r: '1' } }), []],
      [(c) => c.subscribe('cds'), ['cds old@1']],
      [(c) => c.subscribe('rds', 'r'), ['rds r@1']],
      [(c) => c.ackAll(), []],
      [(c) => c.set({ rds: { r: '2' } }), ['rds r@2']],
      [(c) => c.set({ cds: { old: '1' }, rds: { r: '2' } }), []],
      [(c) => c.ackAll(), []],
    ],
  },
  {
    lines: '66',
    title: 'a changed cluster gets its endpoints again, a changed listener its routes',
    steps: [
      [(c) => c.set({ cds: { a: '1>eds:a' }, eds: { a: '1' }, lds: { l: '1>rds:r' }, rds: { r: '1' } }), []],
      [(c) => c.subscribe('cds'), ['cds a@1']],
      [(c) => c.subscribe('eds', 'a'), ['eds a@1']],
      [(c) => c.subscribe('lds'), ['lds l@1']],
      [(c) => c.subscribe('rds', 'r'), ['rds r@1']],
      [(c) => c.ackAll(), []],
      [
        (c) => c.set({ cds: { a: '2>eds:a' }, eds: { a: '1' }, lds: { l: '2>rds:r' }, rds: { r: '1' } }),
        ['cds a@2', 'eds a@1', 'lds l@2', 'rds r@1'],
      ],
    ],
  },
  {
    lines: '67',
    title: 'a name that is gone does not hold up the others',
    steps: [
      [(c) => c.set({ eds: AB }), []],
      [(c) => c.subscribe('eds', 'gone', 'a', 'b'), { sotw: ['eds a@1 b@1'], delta: ['eds -gone a@1 b@1'] }],
    ],
  },
  {
    lines: '43',
    title: 'after a reconnect Delta sends only the difference, SotW everything',
    steps: [
      [(c) => c.set({ cds: { a: '1', b: '1', c: '1' }, eds: { x: '1', y: '1', z: '1' } }), []],
      [(c) => c.subscribe('cds'), ['cds a@1 b@1 c@1']],
      [(c) => c.subscribe('eds', 'x', 'y', 'z'), ['eds x@1 y@1 z@1']],
      [(c) => c.ackAll(), []],
      [
        (c) => c.set({ cds: { a: '1', b: '2' }, eds: { x: '1', y: '2' } }),
        { sotw: ['cds a@1 b@2', 'eds y@2'], delta: ['cds -c b@2', 'eds -z y@2'] },
      ],
      // Not answered: the client has the old ones, and says so.
      [(c) => c.reconnect(), { sotw: ['cds a@1 b@2', 'eds x@1 y@2'], delta: ['cds b@2', 'eds -z y@2'] }],
      [(c) => c.ack('cds'), { sotw: [], delta: ['cds -c'] }],
    ],
  },
  {
    lines: '43, 65',
    title: 'after a reconnect too, a cluster goes when the routes have moved',
    only: 'delta',
    steps: [
      [(c) => c.set({ cds: { old: '1' }, rds: { r: 'old' } }), []],
      [(c) => c.subscribe('cds'), ['cds old@1']],
      [(c) => c.subscribe('rds', 'r'), ['rds r@old']],
      [(c) => c.ackAll(), []],
      [(c) => c.restart({ cds: { new: '1' }, rds: { r: 'new' } }), ['cds new@1', 'rds r@new']],
      [(c) => c.ack('cds'), []],
      [(c) => c.ack('rds'), ['cds -old']],
    ],
  },
  {
    lines: '43',
    title: 'a wildcard that brings everything along gets an empty answer, so that the client knows it is complete',
    only: 'delta',
    steps: [
      [(c) => c.set({ cds: AB }), []],
      [(c) => c.subscribe('cds'), ['cds a@1 b@1']],
      [(c) => c.ack('cds'), []],
      [(c) => c.reconnect(), ['cds']],
    ],
  },
]

describe.each<Variant>(['sotw', 'delta'])('%s', (variant) => {
  const own = SCENARIOS.filter((scenario) => scenario.only === undefined || scenario.only === variant)
  test.each(own)('$title (lines $lines)', ({ steps }) => {
    const client = createModelClient(variant)
    steps.forEach(([act, sends], step) => {
      act(client)
      expect(client.take(), `step ${step + 1}`).toEqual('sotw' in sends ? sends[variant] : sends)
    })
  })

  test('a name that the client may not see does not exist (line 85)', () => {
    const client = createModelClient(variant, { allow: (_, name) => name !== 'secret' })
    client.set({ sds: { secret: '1', own: '1' } })
    client.subscribe('sds', 'secret', 'own')
    expect(client.take()).toEqual(variant === 'sotw' ? ['sds own@1'] : ['sds -secret own@1'])
    client.ack('sds')
    client.set({ sds: { secret: '2', own: '1' } })
    expect(client.take()).toEqual([])
  })

  test('a NACK is told by error_detail, with its text and the version it refused (lines 16, 27)', () => {
    const client = createModelClient(variant)
    client.set({ cds: { a: '1' } })
    client.subscribe('cds')
    client.takeEvents()
    client.nack('cds', 'a: no such thing')
    expect(client.takeEvents()).toMatchObject([{ kind: 'nack', error: { code: 13, message: 'a: no such thing' } }])
    client.set({ cds: { a: '2' } })
    client.ack('cds')
    expect(client.takeEvents()).toMatchObject([{ kind: 'ack' }])
  })
})
