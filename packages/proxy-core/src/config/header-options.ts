import type { HeaderValueOption } from '@heddle/xds-types/envoy/config/core/v3'
import { asciiLower } from '../matcher/ascii.js'
import { compileTextFormat } from '../observe/log-format.js'
import { type AppendAction, createHeaderMutation, type HeaderAddition, type HeaderMutation } from '../route/header-mutation.js'
import type { Fields } from './fields.js'

interface HeaderLists {
  request_headers_to_add?: readonly HeaderValueOption[] | undefined
  request_headers_to_remove?: readonly string[] | undefined
  response_headers_to_add?: readonly HeaderValueOption[] | undefined
  response_headers_to_remove?: readonly string[] | undefined
}

const ACTIONS: readonly AppendAction[] = [
  'APPEND_IF_EXISTS_OR_ADD',
  'ADD_IF_ABSENT',
  'OVERWRITE_IF_EXISTS_OR_ADD',
  'OVERWRITE_IF_EXISTS',
]

/** The four header lists that route configurations, virtual hosts, routes and weighted clusters share. */
export function compileHeaderLists(fields: Fields<HeaderLists>): {
  requestHeaders: HeaderMutation
  responseHeaders: HeaderMutation
} {
  return {
    requestHeaders: createHeaderMutation(
      fields.messages('request_headers_to_add').map(compileHeaderOption),
      removals(fields, 'request_headers_to_remove'),
    ),
    responseHeaders: createHeaderMutation(
      fields.messages('response_headers_to_add').map(compileHeaderOption),
      removals(fields, 'response_headers_to_remove'),
    ),
  }
}

export function compileHeaderOption(fields: Fields<HeaderValueOption>): HeaderAddition {
  const header = fields.message('header')
  const name = asciiLower(header?.string('key') ?? '')
  const value = header?.string('value') ?? ''
  header?.done({ raw_value: 'routes read value alone' })
  const format = fields.take(compileTextFormat(value, `${fields.path}.header.value`, { omitEmptyValues: true }))
  const action = fields.boolean('append', true) ? 'APPEND_IF_EXISTS_OR_ADD' : 'OVERWRITE_IF_EXISTS_OR_ADD'
  const addition: HeaderAddition = {
    name,
    value: format ?? (() => value),
    action: fields.choice('append_action', ACTIONS, action),
    keepEmpty: fields.boolean('keep_empty_value'),
  }
  fields.done()
  if (fields.has('append') && fields.has('append_action')) fields.problem('excludes append.', 'append_action')
  if (isProtected(name)) fields.problem(`${JSON.stringify(name)} cannot be set here: use the route's rewrites.`, 'header')
  return addition
}

function removals(
  fields: Fields<HeaderLists>,
  list: 'request_headers_to_remove' | 'response_headers_to_remove',
): readonly string[] {
  const names = fields.strings(list).map(asciiLower)
  const bad = names.find(isProtected)
  if (bad !== undefined) fields.problem(`${JSON.stringify(bad)} cannot be removed.`, list)
  return names
}

const isProtected = (name: string): boolean => name === '' || name === 'host' || name.startsWith(':')
