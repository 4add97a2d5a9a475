import { fail, ok, problem, type Result } from '@heddle/runtime'
import { compileCelValue } from '../../matcher/cel.js'
import { celAttributes } from '../cel-attributes.js'
import { asJson, asText } from '../cel-text.js'
import type { LogValue, MakeOperator, Operator } from './operator.js'

function celOperator(shape: (value: LogValue) => LogValue): MakeOperator {
  return (args, path) => {
    const compiled = compileCelValue(args, path)
    return compiled.ok ? ok((entry) => shape(asJson(compiled.value(celAttributes(entry))))) : compiled
  }
}

export const expressionOperators: Readonly<Record<string, MakeOperator>> = {
  CEL: celOperator(asText),
  TYPED_CEL: celOperator((value) => value),
}

type CompileOne = (command: string, args: string | undefined, path: string) => Result<Operator>

/** `%COALESCE({"operators": [...]})%`: the first of several operators that has a value. `compile` knows them all. */
export function coalesce(compile: CompileOne): MakeOperator {
  return (args, path) => {
    const operators = readOperators(args)
    if (operators === undefined)
      return fail(
        problem(
          'log.format',
          path,
          '%COALESCE% needs ({"operators": [...]}); each is the name of an operator, or {"command": NAME, "param": ARGUMENT, "max_length": NUMBER}.',
        ),
      )
    const all: Operator[] = []
    for (const { command, param, max_length: most } of operators) {
      const compiled = compile(command, param, path)
      if (!compiled.ok) return compiled
      const read = compiled.value
      all.push((entry) => {
        const value = read(entry)
        return most !== undefined && typeof value === 'string' ? value.slice(0, most) : value
      })
    }
    return ok((entry) => {
      for (const read of all) {
        const value = read(entry)
        if (value !== undefined && value !== null && value !== '') return value
      }
      return undefined
    })
  }
}

interface OneOperator {
  readonly command: string
  readonly param?: string
  readonly max_length?: number
}

function readOperators(json: string): readonly OneOperator[] | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch {
    return undefined
  }
  const list = (parsed as { operators?: unknown } | null)?.operators
  if (!Array.isArray(list) || list.length === 0) return undefined
  const operators = list.map((item: unknown): unknown => (typeof item === 'string' ? { command: item } : item))
  return operators.every(isOne) ? operators : undefined
}

function isOne(item: unknown): item is OneOperator {
  if (typeof item !== 'object' || item === null) return false
  const { command, param, max_length: most } = item as Record<string, unknown>
  return (
    typeof command === 'string' &&
    (param === undefined || typeof param === 'string') &&
    (most === undefined || (Number.isInteger(most) && (most as number) >= 0))
  )
}
