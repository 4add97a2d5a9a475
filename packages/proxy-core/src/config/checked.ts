import { fail, type Result } from '@heddle/runtime'
import type { MessageType } from '@heddle/xds-types'
import { knownTypes } from '@heddle/xds-types/known'

/** What breaks a rule of the API itself is refused by that rule, as Envoy does, and not looked at any further. */
export function checked<M, A extends readonly unknown[], T>(
  type: MessageType<M>,
  compile: (message: M, ...rest: A) => Result<T>,
): (message: M, ...rest: A) => Result<T> {
  return (message, ...rest) => {
    const broken = type.validate(message, knownTypes)
    return broken.length > 0 ? fail(...broken) : compile(message, ...rest)
  }
}
