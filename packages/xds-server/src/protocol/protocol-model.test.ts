import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Content,
  createModelClient,
  type ModelClient,
  SHORT_TYPES,
  type ShortType,
  type Variant,
} from './protocol-harness.test-suite.js'

// Any history of snapshots, subscriptions, answers and reconnects ends, once everything is answered, with the client holding the
// part of the last snapshot that it subscribes to.
// A failure prints its seed and the shortest history: HEDDLE_MODEL_SEED runs it again, HEDDLE_MODEL_RUNS says how many there are.
const soak = process.env['HEDDLE_SOAK'] !== undefined
const RUNS = Number(process.env['HEDDLE_MODEL_RUNS'] ?? (soak ? 200_000 : 2_000))
const SEED = Number(process.env['HEDDLE_MODEL_SEED'] ?? 20_261_121)
const TIMEOUT_MS = 5_000 + RUNS * 5
const NAMES = ['a', 'b', 'c', 'd']

const name = fc.constantFrom(...NAMES)
const type = fc.constantFrom(...SHORT_TYPES)
const version = fc.oneof(
  fc.constantFrom('1', '2', '3'),
  fc.tuple(fc.constantFrom('1', '2'), fc.constantFrom('eds', 'rds', 'sds'), name).map(([v, t, n]) => `${v}>${t}:${n}`),
)
const content: fc.Arbitrary<Content> = fc.record(
  Object.fromEntries(SHORT_TYPES.map((short) => [short, fc.dictionary(name, version, { maxKeys: 4 })])),
) as fc.Arbitrary<Content>

type Step = readonly [kind: string, type: ShortType, names: readonly string[], nth: number]
const names = fc.subarray([...NAMES, '*'], { minLength: 1 })
const stepOf = (kind: string, list: fc.Arbitrary<readonly string[]> = fc.constant([])): fc.Arbitrary<Step> =>
  fc.tuple(fc.constant(kind), type, list, fc.nat(4))
const step: fc.Arbitrary<Step | Content> = fc.oneof(
  { weight: 4, arbitrary: content },
  { weight: 3, arbitrary: stepOf('subscribe', names) },
  { weight: 1, arbitrary: stepOf('ask for all') },
  { weight: 2, arbitrary: stepOf('unsubscribe', names) },
  { weight: 6, arbitrary: stepOf('ack') },
  { weight: 1, arbitrary: stepOf('nack') },
  { weight: 1, arbitrary: stepOf('timeout') },
  { weight: 1, arbitrary: stepOf('grace over') },
  { weight: 1, arbitrary: stepOf('reconnect') },
)

function perform(client: ModelClient, next: Step | Content): void {
  if (!isStep(next)) {
    client.set(next)
    return
  }
  const [kind, t, list, nth] = next
  const open = client.unanswered()
  const answered = open[nth % Math.max(1, open.length)]
  if (kind === 'subscribe') client.subscribe(t, ...list)
  else if (kind === 'ask for all' && !asked(client, t)) client.subscribe(t)
  else if (kind === 'unsubscribe' && asked(client, t)) client.unsubscribe(t, ...list)
  else if (kind === 'ack' && answered !== undefined) client.ack(answered)
  else if (kind === 'nack' && answered !== undefined) client.nack(answered)
  else if (kind === 'timeout') client.timeout(t)
  else if (kind === 'grace over') client.graceOver(t)
  else if (kind === 'reconnect') client.reconnect()
}

function isStep(next: Step | Content): next is Step {
  return Array.isArray(next)
}

function asked(client: ModelClient, t: ShortType): boolean {
  const { wildcard, names } = client.asks(t)
  return wildcard || names.size > 0
}

function allOf(v: string, namesOf: (t: ShortType) => readonly string[]): Content {
  return Object.fromEntries(SHORT_TYPES.map((t) => [t, Object.fromEntries(namesOf(t).map((n) => [n, v]))]))
}

/** The part of `last` that the client asks for. */
function expected(client: ModelClient, last: Content, t: ShortType): Record<string, string> {
  const { wildcard, names } = client.asks(t)
  return Object.fromEntries(Object.entries(last[t] ?? {}).filter(([n]) => wildcard || names.has(n)))
}

/** What a client holds of what it asks for, in the end. SotW cannot say that a route or an endpoint list is gone (xds-protocol 53): that lingers unused. */
function viewOf(
  client: ModelClient,
  variant: Variant,
  wanted: Readonly<Record<string, string>>,
  t: ShortType,
): Record<string, string> {
  const known = client.known(t)
  const lingers = variant === 'sotw' && t !== 'cds' && t !== 'lds'
  return lingers ? Object.fromEntries(Object.entries(known).filter(([n]) => n in wanted)) : known
}

const VARIANTS: readonly Variant[] = ['sotw', 'delta']

test(
  'SotW view, Delta view and cache are the same after any history',
  () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), content, fc.boolean(), (steps, last, removalGrace) => {
        for (const variant of VARIANTS) {
          const client = createModelClient(variant, { removalGrace })
          for (const next of steps) perform(client, next)
          // What a client has refused is not sent again, and keeps what it may still use: so first everything comes anew.
          client.set(allOf('anew', () => NAMES))
          client.ackAll()
          const fresh = allOf('last', (t) => Object.keys(last[t] ?? {}))
          client.set(fresh)
          client.ackAll()
          client.graceOver('cds')
          client.ackAll()
          for (const t of SHORT_TYPES) {
            const wanted = expected(client, fresh, t)
            expect(viewOf(client, variant, wanted, t), `${variant} ${t}`).toEqual(wanted)
            expect(client.believed(t), `what the server believes of ${variant} ${t}`).toEqual(wanted)
          }
        }
      }),
      { numRuns: RUNS, seed: SEED },
    )
  },
  TIMEOUT_MS,
)

describe.each(VARIANTS)('%s', (variant) => {
  test(
    'what is answered is not sent again',
    () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 25 }), content, (steps, last) => {
          const client = createModelClient(variant)
          for (const next of steps) perform(client, next)
          client.set(last)
          client.ackAll()
          client.take()
          client.set(structuredClone(last))
          expect(client.take()).toEqual([])
        }),
        { numRuns: RUNS / 4, seed: SEED },
      )
    },
    TIMEOUT_MS,
  )
})
