import type { Random } from '@heddle/runtime'

/** RBAC policy sets by chance, and requests that they judge; only of what a plain HTTP request shows. */
export interface PolicyCase {
  /** envoy.config.rbac.v3.RBAC. */
  readonly rules: object
  readonly requests: readonly PolicyRequest[]
}

export interface PolicyRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The client's own address, of 127.0.0.0/8. */
  readonly from: string
}

const PATHS = ['/', '/a', '/a/b', '/ab', '/A', '/b?a', '/a/b?x=/admin', '/admin/x', '//a']
const CLIENTS = ['127.0.0.2', '127.0.0.3', '127.0.1.2']

export function randomPolicyCases(random: Random, sets: number, requests: number): PolicyCase[] {
  const dice = createDice(random)
  return Array.from({ length: sets }, () => ({
    rules: policySet(dice),
    requests: Array.from({ length: requests }, () => policyRequest(dice)),
  }))
}

interface Dice {
  one<T>(...of: readonly T[]): T
  many<T>(least: number, most: number, make: () => T): T[]
}

function createDice(random: Random): Dice {
  const below = (count: number): number => Math.floor(random.next() * count)
  return {
    one: (...of) => of[below(of.length)]!,
    many: (least, most, make) => Array.from({ length: least + below(most - least + 1) }, make),
  }
}

function policySet(dice: Dice): object {
  const policy = (): object => ({
    permissions: dice.many(1, 2, () => permission(dice, 3)),
    principals: dice.many(1, 2, () => principal(dice, 3)),
    ...dice.one<() => object>(
      () => ({}),
      () => ({}),
      () => ({ condition: condition(dice, 2) }),
    )(),
  })
  const policies = Object.fromEntries(dice.many(0, 3, policy).map((each, i) => [`p${i}`, each]))
  return { action: dice.one('ALLOW', 'DENY'), policies }
}

function policyRequest({ one, many }: Dice): PolicyRequest {
  return {
    method: one('GET', 'POST', 'PUT'),
    host: one('a.example', 'b.example', 'A.example'),
    path: one(...PATHS),
    headers: many(0, 2, () => ['x', one('1', '2', '12')] as const),
    from: one(...CLIENTS),
  }
}

function text({ one }: Dice, ...values: readonly string[]): object {
  const value = one(...values)
  const fold = one({}, {}, { ignore_case: true })
  return one<object>(
    { exact: value, ...fold },
    { prefix: value.slice(0, 2), ...fold },
    { suffix: value.slice(-2), ...fold },
    { contains: value.slice(0, 1), ...fold },
    { safe_regex: { regex: one('/a.*', '.*', '1|2', '(/a)?(/b)?', '[^/]+') } },
  )
}

function range({ one }: Dice): object {
  return { address_prefix: one(...CLIENTS), prefix_len: one(0, 8, 24, 30, 31, 32) }
}

function header(dice: Dice): object {
  const invert = dice.one({}, { invert_match: true })
  return dice.one<() => object>(
    () => ({ name: 'x', string_match: text(dice, '1', '2', '12'), ...invert }),
    () => ({ name: 'x', present_match: dice.one(true, false), ...invert }),
    () => ({ name: ':method', string_match: text(dice, 'GET', 'POST'), ...invert }),
    () => ({ name: ':authority', string_match: text(dice, 'a.example', 'b.example'), ...invert }),
    () => ({ name: 'y', string_match: text(dice, '1'), ...invert }),
  )()
}

const name = (field: string, of: string): object => ({ select_expr: { operand: { ident_expr: { name: of } }, field } })
const constant = (string_value: string): object => ({ const_expr: { string_value } })
const call = (called: string, ...args: readonly object[]): object => ({ call_expr: { function: called, args } })

/** In CEL, as the parser of CEL leaves it. What is not there is asked for as well. */
function condition(dice: Dice, depth: number): object {
  const { one } = dice
  const inner = (): object => condition(dice, depth - 1)
  const header = call('_[_]', name('headers', 'request'), constant(one('x', 'y')))
  const leaves: (() => object)[] = [
    () => call(one('_==_', '_!=_'), name('method', 'request'), constant(one('GET', 'POST'))),
    () => call('_==_', name(one('path', 'url_path'), 'request'), constant(one(...PATHS))),
    () => call('_==_', name('query', 'request'), constant(one('', 'a'))),
    () => call('_==_', name('host', 'request'), constant('a.example')),
    () => call(one('_==_', '_!=_'), header, constant(one('1', '2', '1,2'))),
    () => call('@in', constant(one('x', 'y')), name('headers', 'request')),
    () => call(one('_>_', '_<=_'), call('size', name('url_path', 'request')), { const_expr: { int64_value: one('1', '3') } }),
    () => call('_==_', name('nobody', 'request'), constant('')),
    () => ({ const_expr: { bool_value: one(true, false) } }),
    () => {
      const target = one(name('path', 'request'), name('address', 'source'))
      const args = [constant(one('/a', '127.0.0.2', '127'))]
      return { call_expr: { target, function: one('startsWith', 'contains', 'endsWith', 'matches'), args } }
    },
  ]
  const nodes: (() => object)[] = [
    () => call('_&&_', inner(), inner()),
    () => call('_||_', inner(), inner()),
    () => call('!_', inner()),
    () => call('_?_:_', inner(), inner(), inner()),
  ]
  return one(...leaves, ...(depth > 0 ? nodes : []))()
}

function permission(dice: Dice, depth: number): object {
  const inner = (): object => permission(dice, depth - 1)
  const leaves: (() => object)[] = [
    () => ({ any: true }),
    () => ({ url_path: { path: text(dice, '/a', '/a/b', '/ab', '/admin') } }),
    () => ({ url_path: { path: text(dice, '/a', '/a/b', '/ab', '/admin') } }),
    () => ({ header: header(dice) }),
    () => ({ destination_port_range: { start: 1, end: dice.one(2, 65_535) } }),
    () => ({ destination_ip: { address_prefix: '127.0.0.1', prefix_len: dice.one(8, 32) } }),
    () => ({ requested_server_name: text(dice, 'a.example') }),
  ]
  return branch(dice, depth, leaves, ['and_rules', 'or_rules', 'not_rule'], 'rules', inner)
}

function principal(dice: Dice, depth: number): object {
  const inner = (): object => principal(dice, depth - 1)
  const leaves: (() => object)[] = [
    () => ({ any: true }),
    () => ({ authenticated: {} }),
    () => ({ direct_remote_ip: range(dice) }),
    () => ({ remote_ip: range(dice) }),
    () => ({ header: header(dice) }),
    () => ({ url_path: { path: text(dice, '/a', '/ab') } }),
  ]
  return branch(dice, depth, leaves, ['and_ids', 'or_ids', 'not_id'], 'ids', inner)
}

function branch(
  dice: Dice,
  depth: number,
  leaves: readonly (() => object)[],
  [and, or, not]: readonly [string, string, string],
  list: string,
  inner: () => object,
): object {
  const nodes: (() => object)[] = [
    () => ({ [and]: { [list]: dice.many(1, 3, inner) } }),
    () => ({ [or]: { [list]: dice.many(1, 3, inner) } }),
    () => ({ [not]: inner() }),
  ]
  return dice.one<() => object>(...leaves, ...(depth > 0 ? nodes : []))()
}
