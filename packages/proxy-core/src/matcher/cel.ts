import { fail, ok, problem, type Result } from '@heddle/runtime'
import { parse } from '@marcbachmann/cel-js'

/** Names that an expression may use: `request`, `response` ... Integers are bigint. */
export type CelAttributes = Readonly<Record<string, unknown>>

/** False as well when it cannot be evaluated: an attribute that is not there. */
export type CelPredicate = (attributes: CelAttributes) => boolean

/** The value of an expression; undefined when it cannot be evaluated. */
export function compileCelValue(expression: string, path: string): Result<(attributes: CelAttributes) => unknown> {
  try {
    const evaluate = parse(expression)
    return ok((attributes) => {
      try {
        return evaluate(attributes)
      } catch {
        return undefined
      }
    })
  } catch (error) {
    return fail(problem('cel.invalid', path, `${JSON.stringify(expression)} is no CEL expression: ${(error as Error).message}`))
  }
}

/** A condition in the Common Expression Language (cel.dev). Code `cel.invalid` for what is none. */
export function compileCel(expression: string, path: string): Result<CelPredicate> {
  const compiled = compileCelValue(expression, path)
  return compiled.ok ? ok((attributes) => compiled.value(attributes) === true) : compiled
}
