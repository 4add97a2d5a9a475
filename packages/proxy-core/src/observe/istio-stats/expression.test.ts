import { expect, it } from 'vitest'
import { stream } from '../../filters/http/testing.js'
import { createHeaderMap } from '../../http/header-map.js'
import { workloadOf } from '../peer/workload.js'
import { compileExpression } from './expression.js'

const node = { id: 'me', cluster: 'c', metadata: { NAMESPACE: 'here' } }

// The second ten are examples of Istio's own documentation: tasks/observability/metrics/customize-metrics and classify-metrics.
it.each([
  ['request.host', 'apps'],
  ["'text'", 'text'],
  ['request.headers["x-who"]', 'me'],
  ['request.headers["x-none"]', undefined],
  ['request.useragent', undefined],
  ['string(destination.port)', '80'],
  ['destination.port', '80'],
  ['string(response.code)', '200'],
  ['request.headers["x-who"] == "me"', 'true'],
  ['has(request.id) ? request.id : "none"', 'none'],
  ["request.url_path.startsWith('/p') ? 'p' : 'other'", 'p'],
  ['response.headers["content-type"]', 'text/plain'],
  ['response.trailers["grpc-status"]', undefined],
  ['node.id + "/" + node.metadata.NAMESPACE', 'me/here'],
  ['upstream_peer.workload + "." + upstream_peer.namespace', 'server.there'],
  ['downstream_peer.workload', undefined],
])('%s is %s', (text, value) => {
  const compiled = compileExpression(text, 'a')
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const { info } = stream({ path: '/p?q' })
  info.downstreamLocal = '10.0.0.1:80'
  info.startTime = 0
  info.filterState.set('upstream_peer', workloadOf({ WORKLOAD_NAME: 'server', NAMESPACE: 'there' }))
  const requestHeaders = createHeaderMap([['x-who', 'me']])
  const responseHeaders = createHeaderMap([['content-type', 'text/plain']])
  expect(compiled.value({ info, requestHeaders, responseHeaders }, node)).toBe(value)
})

it('what is no expression says where', () => {
  expect(compileExpression('request.', 'a.b')).toMatchObject({ ok: false, diagnostics: [{ code: 'cel.invalid', path: 'a.b' }] })
})
