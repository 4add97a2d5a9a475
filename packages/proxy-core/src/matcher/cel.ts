import { fail, ok, problem, type Result } from '@heddle/runtime'
import { parse } from '@marcbachmann/cel-js'

/** Names that an expression may use: `request`, `response` ... Integers are bigint. */
export type CelAttributes = Readonly<Record<string, unknown>>

/** False as well when it cannot be evaluated: an attribute that is not there. */
export type CelPredicate = (attributes: CelAttributes) => boolean

/** A condition in the Common Expression Language (cel.dev). Code `cel.invalid` for what is none. */
export function compileCel(expression: string, path: string): Result<CelPredicate> {
  try {
    const evaluate = parse(expression)
    return ok((attributes) => {
      try {
        return evaluate(attributes) === true
      } catch {
        return false
      }
    })
  } catch (error) {
    return fail(problem('cel.invalid', path, `${JSON.stringify(expression)} is no CEL expression: ${(error as Error).message}`))
  }
}
