import { describe, expect, test } from 'vitest'
import { createViews } from '../resource-view.js'
import { createDeltaProtocol } from './delta.js'
import { classifyNonce, createNonces } from './nonces.js'
import { type Content, contentSet, ruleOf, TYPES } from './protocol-harness.test-suite.js'
import { createSotwProtocol } from './sotw.js'
import type { DeltaRequest, Effect, Response, SotwRequest } from './stream-protocol.js'

const view = createViews(() => {
  throw new Error('everything here is encoded')
})
const options = { ruleOf, streamId: 's1' }
const sotw = (request: Partial<SotwRequest>): SotwRequest => ({
  typeUrl: TYPES.eds,
  versionInfo: '',
  responseNonce: '',
  resourceNames: [],
  ...request,
})
const delta = (request: Partial<DeltaRequest>): DeltaRequest => ({
  typeUrl: TYPES.eds,
  responseNonce: '',
  subscribe: [],
  unsubscribe: [],
  initialResourceVersions: new Map(),
  ...request,
})
const responses = (effects: readonly Effect[]): Response[] =>
  effects.flatMap((effect) => (effect.kind === 'send' ? [effect.response] : []))
const names = (effects: readonly Effect[]): string[][] =>
  responses(effects).map((response) => response.resources.map(({ name }) => name))
const kinds = (effects: readonly Effect[]): string[] => effects.map((effect) => effect.kind)
const content = (next: Content) => view(contentSet(next))
const AB: Content = { eds: { a: '1', b: '1' } }

test('nonces are unique and carry the stream (line 23)', () => {
  const nonces = createNonces('s1')
  expect(new Set([nonces.next(), nonces.next(), createNonces('s2').next()]).size).toBe(3)
})

test.each([
  ['', undefined, 'spontaneous'],
  ['', 's-1', 'spontaneous'],
  ['old-7', undefined, 'foreign'],
  ['s-1', 's-1', 'current'],
  ['s-1', 's-2', 'stale'],
] as const)('%j after %j is %s', (responseNonce, last, kind) => {
  expect(classifyNonce(responseNonce, last)).toBe(kind)
})

describe('sotw', () => {
  test('a stale nonce: the request is ignored wholly, its names too (line 19)', () => {
    const machine = createSotwProtocol(options)
    machine.onSnapshot(content(AB))
    const [first] = responses(machine.onRequest(sotw({ resourceNames: ['a'] })))
    machine.onRequest(sotw({ resourceNames: ['a'], responseNonce: first!.nonce }))
    machine.onSnapshot(content({ eds: { a: '2', b: '1' } }))
    expect(machine.onRequest(sotw({ resourceNames: ['a', 'b'], responseNonce: first!.nonce }))).toEqual([
      { kind: 'stale', typeUrl: TYPES.eds, nonce: first!.nonce },
    ])
    expect(machine.unanswered()).toEqual([TYPES.eds])
  })
  test('a NACK may change the names (line 18)', () => {
    const machine = createSotwProtocol(options)
    machine.onSnapshot(content(AB))
    const [first] = responses(machine.onRequest(sotw({ resourceNames: ['a'] })))
    const error = { code: 3, message: 'a is bad' }
    const effects = machine.onRequest(sotw({ resourceNames: ['b'], responseNonce: first!.nonce, errorDetail: error }))
    expect(kinds(effects)).toEqual(['nack', 'subscribed', 'send'])
    expect(names(effects)).toEqual([['b']])
  })
  test('a NACK is told by error_detail, not by the version (line 16)', () => {
    const machine = createSotwProtocol(options)
    machine.onSnapshot(content(AB))
    const [first] = responses(machine.onRequest(sotw({ resourceNames: ['a'] })))
    const { nonce, version } = first!
    const effects = machine.onRequest(
      sotw({ resourceNames: ['a'], responseNonce: nonce, versionInfo: version, errorDetail: { code: 13, message: 'x' } }),
    )
    expect(kinds(effects)).toEqual(['nack'])
    const other = machine.onSnapshot(content({ eds: { a: '2', b: '1' } }))
    expect(
      kinds(machine.onRequest(sotw({ resourceNames: ['a'], responseNonce: responses(other)[0]!.nonce, versionInfo: 'of old' }))),
    ).toEqual(['ack'])
  })
  test('a nonce of another stream is a beginning (line 20)', () => {
    const machine = createSotwProtocol(options)
    machine.onSnapshot(content(AB))
    expect(names(machine.onRequest(sotw({ resourceNames: ['a'], responseNonce: 'elsewhere-9', versionInfo: 'v' })))).toEqual([
      ['a'],
    ])
  })
  test('asked again without a nonce, everything is sent again (line 20)', () => {
    const machine = createSotwProtocol(options)
    machine.onSnapshot(content(AB))
    const [first] = responses(machine.onRequest(sotw({ resourceNames: ['a', 'b'] })))
    machine.onRequest(sotw({ resourceNames: ['a', 'b'], responseNonce: first!.nonce }))
    expect(names(machine.onRequest(sotw({ resourceNames: ['a', 'b'] })))).toEqual([['a', 'b']])
  })
  test('the version is of the type, and the same for the same content on another server (lines 13, 14, 25)', () => {
    const versions = (next: Content): string[] => {
      const machine = createSotwProtocol(options)
      machine.onSnapshot(content(next))
      return (['cds', 'eds'] as const).flatMap((type) =>
        responses(machine.onRequest(sotw({ typeUrl: TYPES[type], resourceNames: ['a'] }))).map(({ version }) => version),
      )
    }
    const [cds, eds] = versions({ cds: { a: '1' }, eds: { a: '1' } })
    expect(versions({ cds: { a: '1' }, eds: { a: '1' } })).toEqual([cds, eds])
    const [cdsAfter, edsAfter] = versions({ cds: { a: '1' }, eds: { a: '2' } })
    expect(cdsAfter).toBe(cds)
    expect(edsAfter).not.toBe(eds)
  })
  test('the empty name unsubscribes from everything (line 46)', () => {
    const machine = createSotwProtocol(options)
    machine.onSnapshot(content({ cds: { a: '1' } }))
    const cds = { typeUrl: TYPES.cds }
    const [first] = responses(machine.onRequest(sotw(cds)))
    expect(kinds(machine.onRequest(sotw({ ...cds, responseNonce: first!.nonce, resourceNames: [''] })))).toEqual([
      'ack',
      'subscribed',
    ])
    expect(machine.onSnapshot(content({ cds: { a: '2' } }))).toEqual([])
  })
})

describe('delta', () => {
  test('a stale nonce: the answer does not count, the subscription does (line 22)', () => {
    const machine = createDeltaProtocol(options)
    machine.onSnapshot(content(AB))
    const [first] = responses(machine.onRequest(delta({ subscribe: ['a'] })))
    machine.onRequest(delta({ responseNonce: first!.nonce }))
    const [second] = responses(machine.onSnapshot(content({ eds: { a: '2', b: '1' } })))
    const effects = machine.onRequest(
      delta({ responseNonce: first!.nonce, subscribe: ['b'], errorDetail: { code: 13, message: 'late' } }),
    )
    expect(kinds(effects)).toEqual(['stale', 'subscribed'])
    expect(names(machine.onRequest(delta({ responseNonce: second!.nonce })))).toEqual([['b']])
  })
  test('subscribe and unsubscribe in one request, even in an ACK (line 40)', () => {
    const machine = createDeltaProtocol(options)
    machine.onSnapshot(content(AB))
    const [first] = responses(machine.onRequest(delta({ subscribe: ['a'] })))
    const effects = machine.onRequest(delta({ responseNonce: first!.nonce, subscribe: ['b'], unsubscribe: ['a'] }))
    expect(kinds(effects)).toEqual(['ack', 'subscribed', 'send'])
    expect(names(effects)).toEqual([['b']])
    expect(machine.onSnapshot(content({ eds: { a: '2', b: '1' } }))).toEqual([])
  })
  test('initial_resource_versions: equal is not sent, different is, gone is removed, unlisted is no subscription (line 43)', () => {
    const machine = createDeltaProtocol(options)
    machine.onSnapshot(content({ eds: { a: '1', b: '2', other: '1' } }))
    const has = new Map([
      ['a', '1'],
      ['b', '1'],
      ['gone', '1'],
      ['other', '0'],
    ])
    const [answer] = responses(machine.onRequest(delta({ subscribe: ['a', 'b', 'gone', 'new'], initialResourceVersions: has })))
    expect(answer!.resources.map(({ name }) => name)).toEqual(['b'])
    expect([...answer!.removed].sort()).toEqual(['gone', 'new'])
  })
  test('initial_resource_versions in a later request mean nothing (line 44)', () => {
    const machine = createDeltaProtocol(options)
    machine.onSnapshot(content(AB))
    machine.onRequest(delta({ subscribe: ['x'] }))
    machine.onAckTimeout(TYPES.eds, 's1-1')
    const effects = machine.onRequest(delta({ subscribe: ['a'], initialResourceVersions: new Map([['a', '1']]) }))
    expect(names(effects)).toEqual([['a']])
  })
  test('the system version is that of the type (line 24)', () => {
    const machine = createDeltaProtocol(options)
    const snapshot = content(AB)
    machine.onSnapshot(snapshot)
    const [answer] = responses(machine.onRequest(delta({ subscribe: ['a'] })))
    expect(answer!.version).toBe(snapshot.type(TYPES.eds).version)
  })
})
