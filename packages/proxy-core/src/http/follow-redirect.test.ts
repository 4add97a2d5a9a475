import { expect, it } from 'vitest'
import { followRedirect } from './follow-redirect.js'
import { createHeaderMap } from './header-map.js'

const policy = { max: 1, statuses: new Set([302]), allowCrossScheme: false, safeCrossScheme: false, notTwice: false }
const by = {
  kind: 'forward',
  route: { action: { kind: 'forward', internalRedirect: { ...policy, copyHeaders: ['x-copy', 'x-gone'] } } },
}
const response = {
  status: 302,
  headers: createHeaderMap([
    ['location', 'http://app/new'],
    ['x-copy', '1'],
    ['x-copy', '2'],
  ]),
}
const requestOf = () => ({
  ...{ method: 'GET', scheme: 'http', authority: 'app', path: '/old' },
  headers: createHeaderMap([
    ['x-copy', 'own'],
    ['x-gone', 'own'],
  ]),
})
const leadingTo = (route: object) => ({ resolve: () => route }) as never
const follow = (request: object, table: never) =>
  followRedirect(request as never, { response, by, history: { count: 0, routes: [] } } as never, table, undefined as never)

it('response_headers_to_copy: every value, and those that the answer has not are taken away', () => {
  const request = requestOf()
  expect(follow(request, leadingTo({ kind: 'reply' }))).toMatchObject({ kind: 'followed', target: { path: '/new' } })
  expect(request.headers.getAll('x-copy')).toEqual(['1', '2'])
  expect(request.headers.has('x-gone')).toBe(false)
  expect(request.headers.get('x-envoy-original-url')).toBe('http://app/old')
})

it('a request whose redirect leads nowhere is as it was, and the route that was found tells of it', () => {
  const request = requestOf()
  const none = { kind: 'none' }
  expect(follow(request, leadingTo(none))).toEqual({ kind: 'passed', why: 'no_route', route: none })
  expect([request.path, request.headers.get('x-copy')]).toEqual(['/old', 'own'])
})
