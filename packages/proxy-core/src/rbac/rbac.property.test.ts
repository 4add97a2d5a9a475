import type { Random } from '@heddle/runtime'
import { createSeededRandom } from '@heddle/runtime/testing'
import type { Permission, Policy, Principal, RBAC } from '@heddle/xds-types/envoy/config/rbac/v3'
import { expect, it } from 'vitest'
import { compileMessage } from '../config/fields.js'
import { createHeaderMap } from '../http/header-map.js'
import { compileRbac, type RbacEngine } from './engine.js'
import type { RbacQuestion } from './question.js'
import { referenceAllows } from './reference-evaluator.js'

const SETS = 10_000
const REQUESTS = 10

/** Small alphabets, so that what is wanted and what comes meet often. */
function createDice(random: Random) {
  const below = (count: number): number => Math.floor(random.next() * count)
  const one = <T>(...of: readonly T[]): T => of[below(of.length)]!
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most + 1) }, make)
  return { below, one, many }
}
type Dice = ReturnType<typeof createDice>

const PATHS = ['/', '/a', '/a/b', '/ab', '/A', '/b?a', '/a#b', '/a/b?x=/admin', '']
const NAMES = ['spiffe://td/ns/a/sa/x', 'spiffe://td/ns/a/sa/y', 'spiffe://other/ns/a/sa/x', 'x.a']
const IPS = ['10.0.0.1', '10.0.1.1', '192.168.0.1', '10.128.0.1']

function textMatcher({ one }: Dice, values: readonly string[]): object {
  const value = one(...values)
  // Empty prefixes, suffixes and substrings are no matchers.
  const part = (text: string): string => (text === '' ? '/' : text)
  const fold = one({}, {}, { ignore_case: true })
  return one<object>(
    { exact: value, ...fold },
    { prefix: part(value.slice(0, 3)), ...fold },
    { suffix: part(value.slice(-2)), ...fold },
    { contains: part(value.slice(1, 3)), ...fold },
    { safe_regex: { regex: one('/a.*', '.*', '.*/sa/[xy]', '1|2', '(/a)?(/b)?') } },
  )
}

function range({ one }: Dice): object {
  return { address_prefix: one(...IPS), prefix_len: one(0, 8, 9, 16, 24, 32) }
}

function header(dice: Dice): object {
  const { one } = dice
  const invert = one({}, { invert_match: true })
  return one<() => object>(
    () => ({ name: 'x', string_match: textMatcher(dice, ['1', '2', '12', '']), ...invert }),
    () => ({ name: 'x', present_match: one(true, false), ...invert }),
    () => ({ name: ':method', string_match: textMatcher(dice, ['GET', 'POST']), ...invert }),
    () => ({ name: ':authority', string_match: textMatcher(dice, ['a.example', 'b.example']), ...invert }),
  )()
}

function metadata(dice: Dice): object {
  const value = { string_match: textMatcher(dice, ['admin', 'user']) }
  return { filter: 'jwt', path: [{ key: 'payload' }, { key: 'role' }], value, ...dice.one({}, { invert: true }) }
}

function permission(dice: Dice, depth: number): Permission {
  const { one, many } = dice
  const inner = (): Permission => permission(dice, depth - 1)
  const leaves: (() => object)[] = [
    () => ({ any: one(true, false) }),
    () => ({ url_path: { path: textMatcher(dice, ['/a', '/a/b', '/ab', '/', '/admin']) } }),
    () => ({ header: header(dice) }),
    () => ({ destination_port: one(80, 8080) }),
    () => ({ destination_port_range: { start: one(80, 81), end: one(82, 8080, 8081) } }),
    () => ({ destination_ip: range(dice) }),
    () => ({ requested_server_name: textMatcher(dice, ['a.example', 'b.example', '']) }),
    () => ({ metadata: metadata(dice) }),
  ]
  const nodes = [
    () => ({ and_rules: { rules: many(3, inner) } }),
    () => ({ or_rules: { rules: many(3, inner) } }),
    () => ({ not_rule: inner() }),
  ]
  return one<() => object>(...leaves, ...(depth > 0 ? nodes : []))() as Permission
}

function principal(dice: Dice, depth: number): Principal {
  const { one, many } = dice
  const inner = (): Principal => principal(dice, depth - 1)
  const leaves: (() => object)[] = [
    () => ({ any: one(true, false) }),
    () => ({ authenticated: one<object>({}, { principal_name: textMatcher(dice, NAMES) }) }),
    () => ({ direct_remote_ip: range(dice) }),
    () => ({ remote_ip: range(dice) }),
    () => ({ header: header(dice) }),
    () => ({ url_path: { path: textMatcher(dice, ['/a', '/ab']) } }),
    () => ({ metadata: metadata(dice) }),
  ]
  const nodes = [
    () => ({ and_ids: { ids: many(3, inner) } }),
    () => ({ or_ids: { ids: many(3, inner) } }),
    () => ({ not_id: inner() }),
  ]
  return one<() => object>(...leaves, ...(depth > 0 ? nodes : []))() as Principal
}

function policySet(dice: Dice, most = 4, depth = 3): RBAC {
  const policy = (): Policy => ({
    permissions: dice.many(2, () => permission(dice, depth)),
    principals: dice.many(2, () => principal(dice, depth)),
  })
  const policies = Object.fromEntries(dice.many(most, policy).map((each, i) => [`p${i}`, each]))
  return { action: dice.one('ALLOW', 'ALLOW', 'DENY', 'DENY', 'LOG'), policies } as RBAC
}

function question(dice: Dice): RbacQuestion {
  const { one, many } = dice
  const principals = many(2, () => one(...NAMES))
  const headers = createHeaderMap(many(2, () => ['x', one('1', '2', '12', '')] as const))
  const role = one('admin', 'user', undefined)
  return {
    head: one<RbacQuestion['head']>(
      undefined,
      { method: one('GET', 'POST'), scheme: 'http', authority: one('a.example', 'b.example'), path: one(...PATHS), headers },
      {
        method: one('GET', 'PUT'),
        scheme: 'http',
        authority: 'A.example',
        path: one(...PATHS),
        headers,
      },
    ),
    directSource: one(...IPS),
    source: one(...IPS),
    destination: { address: one(...IPS), port: one(79, 80, 81, 8080) },
    serverName: one('', 'a.example', 'b.example'),
    authenticated: one(true, false),
    principals,
    metadata: new Map(role === undefined ? [] : [['jwt', { payload: { role } }]]),
  }
}

it('100,000 random policy sets and requests are judged as a plain reading of the proto judges them, and explain agrees', () => {
  const dice = createDice(createSeededRandom(20_261_121))
  let [allowed, differences] = [0, 0]
  for (let i = 0; i < SETS; i++) {
    const rules = policySet(dice)
    const engine = compiledOf(rules)
    for (let k = 0; k < REQUESTS; k++) {
      const asked = question(dice)
      const got = engine.evaluate(asked).allowed
      const explained = engine.explain(asked).allowed
      const want = referenceAllows(rules, asked)
      if (got) allowed++
      if (got !== want || explained !== want) differences++
    }
  }
  expect(differences).toBe(0)
  // Neither verdict is rare, or the test would say little.
  expect(allowed / (SETS * REQUESTS)).toBeGreaterThan(0.2)
  expect(allowed / (SETS * REQUESTS)).toBeLessThan(0.8)
}, 60_000)

it('of many policies those that may match are found, and the first by name of those that do is told', () => {
  const dice = createDice(createSeededRandom(20_261_122))
  let [named, differences] = [0, 0]
  for (let i = 0; i < 200; i++) {
    const rules = policySet(dice, 60, 1)
    const alone = Object.entries(rules.policies ?? {})
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, policy]) => ({ name, engine: compiledOf({ action: 'DENY', policies: { [name]: policy } }) }))
    const engine = compiledOf({ ...rules, action: 'DENY' })
    for (let k = 0; k < REQUESTS; k++) {
      const asked = question(dice)
      const want = alone.find(({ engine: one }) => !one.evaluate(asked).allowed)?.name
      const got = engine.evaluate(asked).policy
      if (got !== undefined) named++
      if (got !== want) differences++
    }
  }
  expect(differences).toBe(0)
  expect(named).toBeGreaterThan(500)
})

function compiledOf(rules: RBAC): RbacEngine {
  const compiled = compileMessage(rules, 'rules', compileRbac)
  if (!compiled.ok) throw new Error(JSON.stringify([rules, compiled.diagnostics]))
  return compiled.value
}
