import type { HeaderMap } from '../http/header-map.js'
import type { AccessLogEntry } from '../observe/access-log.js'

/** A header value with its %COMMANDS%, compiled. Undefined or empty: the header is left out. */
export type HeaderValue = (entry: AccessLogEntry) => string | undefined

/** HeaderValueOption's append_action. */
export type AppendAction = 'APPEND_IF_EXISTS_OR_ADD' | 'ADD_IF_ABSENT' | 'OVERWRITE_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS'

export interface HeaderAddition {
  /** Lower case. */
  readonly name: string
  readonly value: HeaderValue
  readonly action: AppendAction
  readonly keepEmpty: boolean
}

/** The headers_to_add and headers_to_remove of one level: weighted cluster, route, virtual host or route configuration. */
export interface HeaderMutation {
  /** Nothing to do. */
  readonly empty: boolean
  /** Removes, then adds, as Envoy does. Values are worked out on the headers as they were before. */
  apply(headers: HeaderMap, entry: AccessLogEntry): void
}

export const NO_MUTATION: HeaderMutation = { empty: true, apply: () => {} }

/** `remove`: names in lower case. */
export function createHeaderMutation(additions: readonly HeaderAddition[], remove: readonly string[]): HeaderMutation {
  if (additions.length === 0 && remove.length === 0) return NO_MUTATION
  return {
    empty: false,
    apply(headers, entry) {
      const values = additions.map((addition) => addition.value(entry) ?? '')
      for (const name of remove) headers.delete(name)
      for (const [i, addition] of additions.entries()) add(headers, addition, values[i]!)
    },
  }
}

function add(headers: HeaderMap, { name, action, keepEmpty }: HeaderAddition, value: string): void {
  if (value === '' && !keepEmpty) return
  switch (action) {
    case 'APPEND_IF_EXISTS_OR_ADD':
      headers.appendLower(name, value)
      return
    case 'ADD_IF_ABSENT':
      if (!headers.has(name)) headers.appendLower(name, value)
      return
    case 'OVERWRITE_IF_EXISTS':
      if (headers.has(name)) headers.set(name, value)
      return
    case 'OVERWRITE_IF_EXISTS_OR_ADD':
      headers.set(name, value)
  }
}
