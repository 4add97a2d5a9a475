import { expect, it } from 'vitest'
import type { AccessLogEntry } from '../observe/access-log.js'
import { compileMessage } from './fields.js'
import { compileQueryMutation, mutateQuery } from './query-parameter-mutations.js'

const entry = { info: {} } as AccessLogEntry
const append = (key: string, value: string, action?: string) => ({
  append: { record: { key, value }, ...(action && { action }) },
})

it.each([
  ['/x', [append('a', '1')], '/x?a=1'],
  ['/x?z=1&a=0', [append('a', '1')], '/x?a=0&a=1&z=1'],
  ['/x?a=0', [append('a', '1', 'ADD_IF_ABSENT')], '/x?a=0'],
  ['/x?a=0&a=2', [append('a', '1', 'OVERWRITE_IF_EXISTS_OR_ADD')], '/x?a=1'],
  ['/x', [append('a', '1', 'OVERWRITE_IF_EXISTS')], '/x'],
  ['/x?gone=1', [{ remove: 'gone' }], '/x'],
  ['/x?b=1', [], '/x?b=1'],
  ['/x', [append('a', "x y&z/HTTP/1.1~-._!*'()é")], '/x?a=x%20y%26z%2FHTTP%2F1.1%7E-._%21*%27%28%29%C3%A9'],
  ['/x?c=%41%2f+&a%20b=1&x=%zz%4&y=%0d%0A%00%7F', [append('a', '1')], '/x?a=1&a%20b=1&c=%41%2f+&x=%zz%4&y=%0d%0A%00%7F'],
  ['/x?b=1%26admin=1%23', [append('a', '1')], '/x?a=1&b=1%26admin=1%23'],
  ['/x?r%20r=1', [{ remove: 'r r' }], '/x'],
  ['/x?b&&c&', [append('a', '')], '/x?=&a=&b=&c='],
])('%s with %j: %s', (path, mutations, want) => {
  const compiled = mutations.map((json) => {
    const result = compileMessage(json, 'm', compileQueryMutation as never)
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
    return result.value as ReturnType<typeof compileQueryMutation>
  })
  expect(mutateQuery(path, compiled, entry)).toBe(want)
})
