import type { Expr } from '@heddle/xds-types/google/api/expr/v1alpha1'
import { expect, it } from 'vitest'
import { compileMessage } from '../config/fields.js'
import { compileCelExpr } from './cel-expr.js'

const compiled = (expr: object) => compileMessage(expr as Expr, 'condition', compileCelExpr)
const constant = (value: object): object => ({ id: '1', const_expr: value })
const int = (value: number | string): object => constant({ int64_value: value })
const call = (name: string, ...args: object[]): object => ({ call_expr: { function: name, args } })
const ident = (name: string): object => ({ ident_expr: { name } })

it.each<[object, string, boolean]>([
  [constant({ bool_value: true }), 'true', true],
  [
    call('_==_', int('-9223372036854775808'), int('-9223372036854775808')),
    '((-9223372036854775808) == (-9223372036854775808))',
    true,
  ],
  [
    call('_<_', constant({ uint64_value: '18446744073709551614' }), constant({ uint64_value: '18446744073709551615' })),
    '(18446744073709551614u < 18446744073709551615u)',
    true,
  ],
  [call('_>_', constant({ double_value: 1e21 }), constant({ double_value: 2 })), '(1e+21 > 2.0)', true],
  [call('_==_', constant({ null_value: null }), constant({ null_value: 'NULL_VALUE' })), '(null == null)', true],
  [call('_==_', constant({ string_value: 'a"\\\n\u0001é' }), ident('text')), '("a\\"\\\\\\n\\u0001é" == text)', true],
  [call('_?_:_', constant({ bool_value: false }), int(1), ident('yes')), '(false ? (1) : yes)', true],
  [call('@in', int(2), { list_expr: { elements: [int(1), int(2)] } }), '((2) in [(1), (2)])', true],
  [
    call(
      '_==_',
      call(
        '_[_]',
        { struct_expr: { entries: [{ map_key: constant({ string_value: 'a' }), value: int(3) }] } },
        constant({ string_value: 'a' }),
      ),
      call('_-_', int(5), int(2)),
    ),
    '({"a": (3)}["a"] == ((5) - (2)))',
    true,
  ],
  [{ select_expr: { operand: ident('m'), field: 'a', test_only: true } }, 'has(m.a)', true],
  [{ select_expr: { operand: ident('m'), field: 'b', test_only: true } }, 'has(m.b)', false],
  [
    { call_expr: { target: ident('text'), function: 'matches', args: [constant({ string_value: '^a' })] } },
    'text.matches("^a")',
    true,
  ],
  [call('_>_', call('size', ident('text')), int(4)), '(size(text) > (4))', true],
])('%j is %s: %j', (expr, text, holds) => {
  const result = compiled(expr)
  if (!result.ok || result.value === undefined) throw new Error(JSON.stringify(result.diagnostics))
  expect(result.value.text).toBe(text)
  expect(result.value.matches({ text: 'a"\\\n\u0001é', yes: true, m: { a: 1n } })).toBe(holds)
})

it.each<[object, string]>([
  [{}, 'condition'],
  [call('_+_', ident('a'), ident('b')), 'condition.call_expr.function'],
  [call('string', ident('a')), 'condition.call_expr.function'],
  [{ call_expr: { target: ident('a'), function: 'lowerAscii' } }, 'condition.call_expr.function'],
  [{ comprehension_expr: { iter_var: 'x' } }, 'condition.comprehension_expr'],
  [{ struct_expr: { message_name: 'a.B' } }, 'condition.struct_expr.message_name'],
  [{ ident_expr: { name: 'a || true' } }, 'condition.ident_expr.name'],
  [{ select_expr: { field: 'a' } }, 'condition.select_expr.operand'],
  [constant({ bytes_value: 'AA==' }), 'condition.const_expr.bytes_value'],
])('%j is refused at %s', (expr, path) => {
  const { ok, diagnostics } = compiled(expr)
  expect([ok, diagnostics.map((each) => each.path)]).toEqual([false, expect.arrayContaining([path])])
})
