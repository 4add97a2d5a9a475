import type { Diagnostic } from '@heddle/runtime'
import { joinPath, MAX_DEPTH } from '../context.js'
import { KIND } from '../kinds.js'
import { zeroOf } from '../scalars.js'
import type { Field, MessageType, TypeRegistry } from '../types.js'
import {
  checkBool,
  checkBytes,
  checkCount,
  checkDuration,
  checkEnum,
  checkNumber,
  checkString,
  type Rules,
} from './check-value.js'

interface Scope {
  readonly registry: TypeRegistry | undefined
  readonly found: Diagnostic[]
  depth: number
}

type AllRules = Readonly<Record<string, Rules>>

/** Checks a message in memory form against the rules of its .proto, and everything in it, through Any of types in the registry. */
export function validateMessage(
  type: MessageType<unknown>,
  value: unknown,
  registry: TypeRegistry | undefined,
): readonly Diagnostic[] {
  const scope: Scope = { registry, found: [], depth: 0 }
  visit(type, value as Record<string, unknown>, '', scope)
  return scope.found
}

function visit(type: MessageType<unknown>, message: Record<string, unknown>, path: string, scope: Scope): void {
  if (scope.depth >= MAX_DEPTH) return
  scope.depth++
  for (const oneof of type.table.oneofs) {
    if (oneof.required && !oneof.members.some((name) => isSet(message[name])))
      note(scope, joinPath(path, oneof.name), `one of ${oneof.members.join(', ')} is required`)
  }
  for (const field of ruledFields(type)) {
    const item = message[field.name] ?? (field.nullable ? undefined : message[field.jsonName])
    if (field.rules !== undefined || isSet(item)) visitField(field, item, path, scope)
  }
  scope.depth--
}

const ruled = /*#__PURE__*/ new WeakMap<MessageType<unknown>, readonly Field[]>()

/** Fields in which a rule can be broken: their own, or one of what is in them. In an Any there may be anything. */
function ruledFields(type: MessageType<unknown>): readonly Field[] {
  let fields = ruled.get(type)
  if (fields === undefined) {
    fields = type.table.fields.filter((field) => hasRules(field, new Set([type])))
    ruled.set(type, fields)
  }
  return fields
}

function hasRules(field: Field, seen: Set<MessageType<unknown>>): boolean {
  if (field.rules !== undefined || field.wellKnown?.typeName === 'google.protobuf.Any') return true
  const { message } = field
  if (message === undefined || seen.has(message)) return false
  seen.add(message)
  return message.table.oneofs.some(({ required }) => required) || message.table.fields.some((inner) => hasRules(inner, seen))
}

function visitField(field: Field, value: unknown, at: string, scope: Scope): void {
  const rules = (field.rules ?? NO_RULES) as AllRules
  if (field.kind !== KIND.message && !field.map && !field.repeated) {
    const problem = scalarProblem(field, value, rules)
    // Of most fields nobody wants to know the path.
    if (problem !== undefined) note(scope, joinPath(at, field.name), problem)
    return
  }
  const path = joinPath(at, field.name)
  if (field.map) {
    const map = (value ?? {}) as Record<string, unknown>
    report(scope, path, checkCount(Object.keys(map).length, rules['map'] ?? {}))
    for (const [key, item] of Object.entries(map)) {
      visitValue(
        { ...field, kind: field.keyKind, message: undefined, wellKnown: undefined, enum: undefined },
        key,
        (rules['map']?.['keys'] ?? {}) as AllRules,
        joinPath(path, key),
        scope,
      )
      visitValue(field, item, (rules['map']?.['values'] ?? {}) as AllRules, joinPath(path, key), scope)
    }
  } else if (field.repeated) {
    const list = (value ?? []) as readonly unknown[]
    report(scope, path, checkCount(list.length, rules['repeated'] ?? {}))
    if (rules['repeated']?.['unique'] === true && new Set(list).size < list.length)
      note(scope, path, 'repeated value must contain unique items')
    for (let i = 0; i < list.length; i++)
      visitValue(field, list[i], (rules['repeated']?.['items'] ?? {}) as AllRules, joinPath(path, i), scope)
  } else visitSingle(field, value, rules, path, scope)
}

const NO_RULES: AllRules = {}

/** An unset oneof member has no rules, another unset one counts as its zero. */
function scalarProblem(field: Field, value: unknown, rules: AllRules): string | undefined {
  if (isSet(value)) return checkRules(field, value, rules)
  return field.presence ? undefined : checkRules(field, field.enum === undefined ? zeroOf(field.kind) : 0, rules)
}

/** An unset message or wrapper is only asked whether it must be there. */
function visitSingle(field: Field, value: unknown, rules: AllRules, path: string, scope: Scope): void {
  if (isSet(value)) visitValue(field, value, rules, path, scope)
  else if (
    !field.presence &&
    [rules['message'], rules['any'], rules['duration'], rules['timestamp']].some((rule) => rule?.['required'] === true)
  )
    note(scope, path, 'value is required')
}

function visitValue(field: Field, value: unknown, rules: AllRules, path: string, scope: Scope): void {
  report(scope, path, checkRules(field, value, rules))
  if (rules['message']?.['skip'] === true) return
  if (field.message !== undefined) visit(field.message, value as Record<string, unknown>, path, scope)
  else if (field.wellKnown?.typeName === 'google.protobuf.Any')
    visitAny(value as Record<string, unknown>, rules['any'], path, scope)
}

function checkRules(field: Field, value: unknown, rules: AllRules): string | undefined {
  const { string, bytes, bool, enum: enumRules, duration } = rules
  if (string !== undefined) return checkString(value as string, string)
  if (bytes !== undefined) return checkBytes(value, bytes)
  if (bool !== undefined) return checkBool(value as boolean, bool)
  if (duration !== undefined) return checkDuration(value as string, duration)
  if (enumRules !== undefined && field.enum !== undefined) {
    const number = typeof value === 'number' ? value : field.enum.values[value as string]
    return number === undefined ? undefined : checkEnum(number, field.enum.nameOf, enumRules)
  }
  const number = NUMBERS.map((kind) => rules[kind]).find((rule) => rule !== undefined)
  return number === undefined ? undefined : checkNumber(value as number, number)
}

const NUMBERS = [
  'uint32',
  'int32',
  'uint64',
  'int64',
  'double',
  'float',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'sfixed32',
  'sfixed64',
]

function visitAny(any: Record<string, unknown>, rules: Rules | undefined, path: string, scope: Scope): void {
  const typeUrl = any['@type'] ?? any['type_url']
  const allowed = rules?.['in']
  if (Array.isArray(allowed) && !allowed.includes(typeUrl)) note(scope, path, `type URL must be in list [${allowed.join(' ')}]`)
  const type = typeof typeUrl === 'string' ? scope.registry?.find(typeUrl) : undefined
  if (type === undefined) return
  if (any['@type'] !== undefined) visit(type, any, path, scope)
  else if (any['value'] instanceof Uint8Array) visitPacked(type, any['value'], path, scope)
}

function visitPacked(type: MessageType<unknown>, bytes: Uint8Array, path: string, scope: Scope): void {
  const decoded = type.decode(bytes, scope.registry)
  if (decoded.ok) visit(type, decoded.value as Record<string, unknown>, path, scope)
  for (const problem of decoded.diagnostics)
    scope.found.push({ ...problem, path: problem.path === '' ? path : joinPath(path, problem.path) })
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

function report(scope: Scope, path: string, problem: string | undefined): void {
  if (problem !== undefined) note(scope, path, problem)
}

function note(scope: Scope, path: string, message: string): void {
  scope.found.push({ code: 'xds.rule', severity: 'error', path, message })
}
