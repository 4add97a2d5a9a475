import type { HeaderMap } from '../../http/header-map.js'
import type { HttpRequest } from '../../http/message.js'
import type { AppendAction } from '../../route/header-mutation.js'

/** JOIN: the value comes behind the one that is there, in one line. */
export type EditAction = AppendAction | 'JOIN_IF_EXISTS_OR_ADD'

/** One header that the authorization service sets. */
export interface HeaderEdit {
  /** Lower case. */
  readonly name: string
  /** Bytes as characters. */
  readonly value: string
  readonly action: EditAction
}

export type AuthzVerdict =
  | {
      readonly kind: 'ok'
      readonly request: readonly HeaderEdit[]
      readonly remove: readonly string[]
      readonly response: readonly HeaderEdit[]
      readonly query?: {
        readonly set: readonly (readonly [name: string, value: string])[]
        readonly remove: readonly string[]
      }
      readonly metadata?: Readonly<Record<string, unknown>>
    }
  | {
      readonly kind: 'denied'
      readonly status: number
      readonly body: string
      readonly headers: readonly HeaderEdit[]
      readonly metadata?: Readonly<Record<string, unknown>>
    }
  /** Nobody has decided. */
  | { readonly kind: 'error'; readonly reason: string; readonly timedOut: boolean }

export interface AuthzCall {
  /** Never rejects. */
  readonly done: Promise<AuthzVerdict>
  cancel(): void
}

const NAME = /^:?[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** What could split a message, or is no header name, must not get into one. */
export function isSendable({ name, value }: HeaderEdit): boolean {
  return NAME.test(name) && isValue(value)
}

/** The first header whose value alone could split a message. */
export function unsendableValue(edits: readonly HeaderEdit[]): string | undefined {
  const first = edits.find((edit) => !isSendable(edit))
  return first !== undefined && NAME.test(first.name) ? first.name : undefined
}

function isValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0 || code === 10 || code === 13) return false
  }
  return true
}

export function applyEdit(headers: HeaderMap, { name, value, action }: HeaderEdit): void {
  const there = headers.has(name)
  if (action === 'OVERWRITE_IF_EXISTS' && !there) return
  if (action === 'ADD_IF_ABSENT' && there) return
  if (action === 'JOIN_IF_EXISTS_OR_ADD' && there) join(headers, name, value)
  else if (action.startsWith('OVERWRITE')) headers.set(name, value)
  else headers.append(name, value)
}

/** To the first line of several. */
function join(headers: HeaderMap, name: string, value: string): void {
  const [first = '', ...rest] = headers.getAll(name)
  headers.set(name, `${first}${name === 'cookie' ? '; ' : ','}${value}`)
  for (const line of rest) headers.append(name, line)
}

/** On a request also the pseudo headers can be set; nothing takes them away. */
export function applyToRequest(request: HttpRequest, verdict: Extract<AuthzVerdict, { kind: 'ok' }>): boolean {
  const { request: edits, remove, query } = verdict
  for (const edit of edits) {
    if (edit.name === ':path') request.path = edit.value
    else if (edit.name === ':method') request.method = edit.value
    else if (edit.name === ':authority' || edit.name === 'host') request.authority = edit.value
    else if (!edit.name.startsWith(':')) applyEdit(request.headers, edit)
  }
  for (const name of remove) if (name !== 'host' && !name.startsWith(':')) request.headers.delete(name)
  if (query !== undefined) request.path = editQuery(request.path, query)
  return edits.length + remove.length > 0 || query !== undefined
}

function editQuery(path: string, { set, remove }: NonNullable<Extract<AuthzVerdict, { kind: 'ok' }>['query']>): string {
  const at = path.indexOf('?')
  const gone = new Set([...remove, ...set.map(([name]) => name)])
  const kept =
    at < 0
      ? []
      : path
          .slice(at + 1)
          .split('&')
          .filter((pair) => !gone.has(pair.split('=', 1)[0]!))
  const pairs = [...kept, ...set.map(([name, value]) => `${name}=${value}`)]
  return (at < 0 ? path : path.slice(0, at)) + (pairs.length === 0 ? '' : `?${pairs.join('&')}`)
}
