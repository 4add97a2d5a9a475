import { expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import type { StreamInfo } from '../http/stream-info.js'
import { celAttributes } from '../observe/cel-attributes.js'
import { compileCel } from './cel.js'

const info = {
  ...{
    path: '/a?b=1',
    method: 'GET',
    authority: 'h',
    protocol: 'HTTP/1.1',
    status: 404,
    details: 'route_not_found',
    startTime: 0,
  },
  ...{ bytesReceived: 3, bytesSent: 5, attempts: 1, downstreamRemote: '10.0.0.9:1234', downstreamLocal: '10.0.0.1:80' },
  metadata: new Map([['ns', { who: 'me' }]]),
  filterState: new Map(),
} as unknown as StreamInfo
const requestHeaders = createHeaderMap([
  ['x-user', 'ann'],
  ['__proto__', 'x'],
])

it.each([
  ['response.code >= 400 && request.method == "GET"', true],
  ['response.code == 200', false],
  ['request.headers["x-user"] == "ann" && request.url_path == "/a" && request.query == "b=1"', true],
  ['"x-none" in request.headers', false],
  ['request.path.startsWith("/a")', true],
  ['source.address == "10.0.0.9:1234" && destination.port == 80', true],
  ['metadata.filter_metadata["ns"].who == "me"', true],
  ['connection.mtls', false],
  ['xds.cluster_name == "web"', false],
  ['response.size + request.size == 8', true],
  ['request.method', false],
])('%s: %j', (expression, want) => {
  const compiled = compileCel(expression, 'c')
  expect(compiled.ok && compiled.value(celAttributes({ info, requestHeaders }))).toBe(want)
})

it('what is no expression is refused with its path', () => {
  expect(compileCel('response.code >=', 'c.expression').diagnostics[0]).toMatchObject({
    code: 'cel.invalid',
    path: 'c.expression',
  })
})
