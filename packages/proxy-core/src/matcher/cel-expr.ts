import type { Constant, Expr, Expr_Call, Expr_CreateStruct } from '@heddle/xds-types/google/api/expr/v1alpha1'
import type { Fields } from '../config/fields.js'
import { type CelPredicate, compileCel } from './cel.js'

export interface CelCondition {
  readonly text: string
  readonly matches: CelPredicate
}

/**
 * google.api.expr.v1alpha1.Expr: a condition that somebody has parsed already. It is written down again and compiled by the one CEL
 * that there is. Refused by name: comprehensions (macros over lists), messages, and what Envoy too leaves out unless cel_config asks for
 * it, `+` on texts among it.
 */
export function compileCelExpr(fields: Fields<Expr>): CelCondition | undefined {
  const text = textOf(fields)
  if (text === undefined) return undefined
  const matches = fields.take(compileCel(text, fields.path))
  return matches && { text, matches }
}

/** How the parser of CEL names operators. */
const BINARY: Readonly<Record<string, string>> = {
  '_&&_': '&&',
  '_||_': '||',
  '_==_': '==',
  '_!=_': '!=',
  '_<_': '<',
  '_<=_': '<=',
  '_>_': '>',
  '_>=_': '>=',
  '_-_': '-',
  '_*_': '*',
  '_/_': '/',
  '_%_': '%',
  '@in': 'in',
  _in_: 'in',
}
const UNARY: Readonly<Record<string, string>> = { '!_': '!', '-_': '-' }
const FUNCTIONS = new Set(['size', 'matches', 'type', 'int', 'uint', 'double', 'timestamp', 'duration', 'dyn'])
const METHODS =
  /^(?:startsWith|endsWith|contains|matches|size|get(?:FullYear|Month|Date|DayOfMonth|DayOfWeek|DayOfYear|Hours|Minutes|Seconds|Milliseconds))$/
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Every part in brackets, so that no precedence is to be thought of. Undefined beside a problem. */
function textOf(fields: Fields<Expr>): string | undefined {
  fields.raw('id')
  const text = kindOf(fields)
  fields.done()
  return text
}

function kindOf(fields: Fields<Expr>): string | undefined {
  const constant = fields.message('const_expr')
  if (constant !== undefined) {
    // JSON's null is null itself here, and not a field that is left out.
    return Object.hasOwn(fields.raw('const_expr') as object, 'null_value') ? 'null' : constantText(constant)
  }
  const ident = fields.message('ident_expr')
  if (ident !== undefined) {
    const name = nameIn(ident, 'name')
    ident.done()
    return name
  }
  const select = fields.message('select_expr')
  if (select !== undefined) {
    const [operand, field] = [required(select, 'operand'), nameIn(select, 'field')]
    const test = select.boolean('test_only')
    select.done()
    if (operand === undefined || field === undefined) return undefined
    return test ? `has(${operand}.${field})` : `${operand}.${field}`
  }
  const call = fields.message('call_expr')
  if (call !== undefined) return callText(call)
  const list = fields.message('list_expr')
  if (list !== undefined) {
    const elements = whole(list.messages('elements').map(textOf))
    list.done()
    return elements && `[${elements.join(', ')}]`
  }
  const struct = fields.message('struct_expr')
  if (struct !== undefined) return mapText(struct)
  if (!fields.has('comprehension_expr')) fields.problem('is empty: an expression is required.')
  return undefined
}

function callText(fields: Fields<Expr_Call>): string | undefined {
  const name = fields.string('function')
  const target = fields.message('target')
  const on = target && textOf(target)
  const args = whole(fields.messages('args').map(textOf))
  fields.done()
  if (args === undefined || (target !== undefined && on === undefined)) return undefined
  const [a, b, c] = args
  const text = on === undefined ? operatorText(name, args) : METHODS.test(name) ? `${on}.${name}(${args.join(', ')})` : undefined
  if (text !== undefined) return text
  if (on === undefined && name === '_?_:_' && c !== undefined) return `(${a} ? ${b} : ${c})`
  fields.problem(`${name} with ${args.length} arguments is not supported.`, 'function')
  return undefined
}

function operatorText(name: string, args: readonly string[]): string | undefined {
  const [a, b] = args
  if (args.length === 2 && Object.hasOwn(BINARY, name)) return `(${a} ${BINARY[name]} ${b})`
  if (args.length === 2 && name === '_[_]') return `${a}[${b}]`
  if (args.length === 1 && Object.hasOwn(UNARY, name)) return `(${UNARY[name]}${a})`
  return FUNCTIONS.has(name) ? `${name}(${args.join(', ')})` : undefined
}

function mapText(fields: Fields<Expr_CreateStruct>): string | undefined {
  const entries = fields.messages('entries').map((entry) => {
    entry.raw('id')
    const [key, value] = [required(entry, 'map_key'), required(entry, 'value')]
    entry.done()
    return key === undefined || value === undefined ? undefined : `${key}: ${value}`
  })
  fields.done()
  const known = whole(entries)
  return known && `{${known.join(', ')}}`
}

function constantText(fields: Fields<Constant>): string | undefined {
  const text = valueText(fields)
  fields.done()
  if (text === undefined) fields.problem('is no constant that is supported.')
  return text
}

function valueText(fields: Fields<Constant>): string | undefined {
  if (fields.has('bool_value')) return String(fields.boolean('bool_value'))
  if (fields.has('string_value')) return JSON.stringify(fields.string('string_value'))
  if (fields.has('double_value')) {
    const value = String(fields.number('double_value'))
    return /[.e]/.test(value) ? value : `${value}.0`
  }
  // 64 bits are more than a number holds: they stay as they are written.
  const [int, uint] = [fields.raw('int64_value'), fields.raw('uint64_value')]
  if (/^-?\d+$/.test(String(int))) return `(${int})`
  return /^\d+$/.test(String(uint)) ? `${uint}u` : undefined
}

function nameIn<T>(fields: Fields<T>, field: keyof T & string): string | undefined {
  const name = fields.string(field)
  if (NAME.test(name)) return name
  fields.problem('must be a name of letters, digits and _.', field)
  return undefined
}

function required<K extends string>(fields: Fields<{ readonly [name in K]?: Expr | undefined }>, name: K): string | undefined {
  const inner = fields.message(name) as Fields<Expr> | undefined
  if (inner === undefined) fields.problem('is required.', name)
  return inner && textOf(inner)
}

function whole(parts: readonly (string | undefined)[]): readonly string[] | undefined {
  return parts.every((part) => part !== undefined) ? parts : undefined
}
