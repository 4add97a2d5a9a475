import { fail, ok, problem } from '@heddle/runtime'
import { describe, expect, test } from 'vitest'
import { answerRest, type RestAnswer } from './rest.js'
import { createSnapshotCache } from './snapshot-cache.js'
import { createXdsServer } from './xds-server.js'

const RDS = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration'
const route = (name: string, host: string): object => ({ name, virtual_hosts: [{ name: host, domains: ['*'] }] })

describe('REST polls (line 91)', () => {
  const cache = createSnapshotCache()
  const server = createXdsServer({
    resources: (node) => cache.watch(node.id),
    admit: (node) => (node.id === 'foreign' ? fail(problem('x', 'node', 'not you')) : ok(undefined)),
    authorize: ({ name }) => name !== 'hidden',
  })
  cache.set('n', { groups: [{ id: 'g', resources: new Map([[RDS, [route('a', 'x'), route('hidden', 'x')]]]) }] })
  const poll = (request: unknown, path = '/v3/discovery:routes'): RestAnswer =>
    answerRest(server, path, typeof request === 'string' ? request : JSON.stringify(request))
  const body = ({ body: text }: RestAnswer): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>
  const wants = { node: { id: 'n' }, resource_names: ['a', 'hidden'] }

  test('get what the node may see as JSON, then 304 until it changes', () => {
    const first = poll(wants)
    expect([first.status, body(first)['type_url']]).toEqual([200, RDS])
    expect(body(first)['resources']).toEqual([{ '@type': RDS, name: 'a', virtual_hosts: [{ name: 'x', domains: ['*'] }] }])
    const version_info = body(first)['version_info']
    expect(poll({ ...wants, version_info })).toEqual({ status: 304, body: '' })
    cache.set('n', { groups: [{ id: 'g', resources: new Map([[RDS, [route('a', 'y')]]]) }] })
    expect(poll({ ...wants, version_info }).status).toBe(200)
  })

  test.each([
    ['another path', 404, wants, '/v3/discovery:nothing'],
    ['no JSON', 400, '{'],
    ['an unknown field', 400, { ...wants, resource_name: 'a' }],
    ['another type than the path’s', 400, { ...wants, type_url: 'type.googleapis.com/x.Y' }],
    ['no node', 400, {}],
    ['a node that the peer may not be', 403, { ...wants, node: { id: 'foreign' } }],
    ['a node without resources keeps what it has', 503, { ...wants, node: { id: 'early' } }],
  ])('%s: %i', (_, status, request, path = '/v3/discovery:routes') => {
    const answer = poll(request, path)
    expect(answer.status).toBe(status)
    expect(body(answer)['message']).toEqual(expect.any(String))
  })
})
