import { expect, it } from 'vitest'
import { createHeaderMap } from './header-map.js'
import { JOINED_IN_REQUESTS, JOINED_IN_RESPONSES, joinFields } from './joined-fields.js'

it('puts together what Envoy keeps as one value, and leaves the rest as lines', () => {
  const headers = createHeaderMap([
    ['accept', 'a'],
    ['x-own', '1'],
    ['accept', 'b'],
    ['x-own', '2'],
    ['cache-control', 'c'],
    ['cache-control', 'd'],
    ['accept', ''],
  ])
  joinFields(headers, JOINED_IN_REQUESTS)
  expect([...headers]).toEqual([
    ['accept', 'a,b,'],
    ['x-own', '1'],
    ['x-own', '2'],
    ['cache-control', 'c,d'],
  ])
})

it('knows requests from responses', () => {
  const twice = () =>
    createHeaderMap([
      ['etag', '1'],
      ['etag', '2'],
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
    ])
  const [request, response] = [twice(), twice()]
  joinFields(request, JOINED_IN_REQUESTS)
  joinFields(response, JOINED_IN_RESPONSES)
  expect(request.size).toBe(4)
  expect(response.getAll('etag')).toEqual(['1,2'])
  expect(response.getAll('set-cookie')).toEqual(['a', 'b'])
})
