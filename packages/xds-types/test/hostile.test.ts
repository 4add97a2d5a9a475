import type { Result } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { EncodeError } from '../src/context.js'
import { knownTypes } from '../src/known.js'
import type { Field, MessageType } from '../src/types.js'
import { createMutations } from './mutate.js'
import { createMessages } from './random-message.js'
import { seededRandom } from './seeded.js'

// 100,000 seeded cases, half of them valid messages that were spoilt. Whatever comes in: a Result or an EncodeError, nothing else.
const EACH = 25_000
const random = seededRandom(2026)
const types = [...knownTypes.types]
const messages = createMessages(random, knownTypes)
const mutations = createMutations(random)
const prototypes = [Object.prototype, Array.prototype, Function.prototype, Uint8Array.prototype, String.prototype]
const before = prototypes.map((prototype) => Reflect.ownKeys(prototype).length)
const seen = new Set<Field>()
const codes = new Map<string, number>()
const CODES =
  /^xds\.(malformed|too_large|unknown_field|wrong_type|wrong_enum|duplicate_field|oneof|too_deep|unknown_type|any_without_type|rule)$/

/** Everything one may do with what a decoder gave. */
function use(type: MessageType<unknown>, result: Result<unknown>): void {
  for (const { code, path } of result.diagnostics) {
    if (!CODES.test(code)) throw new Error(`unexpected code ${code}`)
    if (typeof path !== 'string') throw new Error('no path')
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  if (!result.ok) {
    if (result.diagnostics.length === 0) throw new Error('a failure without a diagnostic')
    return
  }
  markSeen(type, result.value as Record<string, unknown>)
  type.validate(result.value, knownTypes)
  type.toJson(result.value, { registry: knownTypes, redact: true })
  attemptEncode(type, result.value)
}

function attemptEncode(type: MessageType<unknown>, value: unknown): void {
  try {
    type.encode(value, knownTypes)
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error
  }
}

function markSeen(type: MessageType<unknown>, message: Record<string, unknown>): void {
  for (const name of Object.keys(message)) {
    const field = type.table.byName.get(name)
    if (field === undefined) continue
    seen.add(field)
    if (field.message === undefined) continue
    const value = message[name]
    const items = Array.isArray(value) ? value : field.map ? Object.values(value as object) : [value]
    for (const item of items) markSeen(field.message, item as Record<string, unknown>)
  }
}

const typeAt = (i: number): MessageType<unknown> => types[i % types.length] as MessageType<unknown>

/** Each turn of a type sets another of its fields, so that all are spoilt sooner or later. */
function validMessage(i: number): Record<string, unknown> {
  const { fields } = typeAt(i).table
  return messages.of(typeAt(i), 3, fields[Math.floor(i / types.length) % fields.length])
}

// In this order: what was valid before goes over the wire and as JSON, then what never was.
const WAYS: readonly ((type: MessageType<unknown>, i: number) => void)[] = [
  (type, i) => use(type, type.decode(mutations.bytes(type.encode(validMessage(i), knownTypes)), knownTypes)),
  (type, i) => {
    const spoilt = mutations.json(validMessage(i))
    use(type, type.fromJson(spoilt, knownTypes))
    attemptEncode(type, spoilt)
  },
  (type) => use(type, type.decode(mutations.madeUpBytes(type), knownTypes)),
  (type) => {
    const value = mutations.madeUpJson(type)
    use(type, type.fromJson(value, knownTypes))
    attemptEncode(type, value)
  },
]

it(`${WAYS.length * EACH} hostile inputs are refused or read, and nothing else happens`, () => {
  for (const way of WAYS) for (let i = 0; i < EACH; i++) way(typeAt(i), i)
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).toEqual(before)
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  for (const code of ['malformed', 'unknown_field', 'wrong_type', 'wrong_enum', 'oneof', 'too_deep', 'unknown_type'])
    expect(codes.get(`xds.${code}`), code).toBeGreaterThan(0)
  const all = types.flatMap((type) => type.table.fields).length
  console.log(`hostile input: ${seen.size} of ${all} fields reached (${((100 * seen.size) / all).toFixed(1)} %)`)
  expect(seen.size / all).toBeGreaterThan(0.9)
}, 120_000)
