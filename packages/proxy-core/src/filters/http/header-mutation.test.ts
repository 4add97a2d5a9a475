import { describe, expect, it } from 'vitest'
import { headerMutationFilter } from './header-mutation.js'
import { configured, must, run, stream } from './testing.js'

describe('header mutation', () => {
  const add = (value: string) => ({
    mutations: {
      request_mutations: [
        { append: { header: { key: 'x', value } } },
        { append: { header: { key: 'last', value }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
      ],
    },
  })
  it.each([
    [false, ['filter', 'route', 'vhost', 'table']],
    [true, ['filter', 'table', 'vhost', 'route']],
  ])('runs every level; most specific last: %j', (most_specific_header_mutations_wins, order) => {
    const level = (value: string): unknown => must(headerMutationFilter.decodePerRoute!(add(value), ''))
    const routed = stream({ perRoutes: ['route', 'vhost', 'table'].map(level) })
    void run(configured(headerMutationFilter, { ...add('filter'), most_specific_header_mutations_wins }), routed)
    expect(routed.request.headers.getAll('x')).toEqual(order)
    expect(routed.request.headers.get('last')).toBe(order.at(-1))
  })

  it('removes by name and by pattern', () => {
    const asked = stream({ headers: { 'x-a': '1', 'x-b': '2', y: '3', z: '4' } })
    const request_mutations = [{ remove: 'Y' }, { remove_on_match: { key_matcher: { prefix: 'x-' } } }]
    void run(configured(headerMutationFilter, { mutations: { request_mutations } }), asked)
    expect([...asked.request.headers]).toEqual([['z', '4']])
  })
})
