import { expect, it } from 'vitest'
import { compileClientCertMatcher } from '../config/client-cert.js'
import type { HttpManager } from '../config/compiled.js'
import { compileMessage } from '../config/fields.js'
import type { TlsInfo } from '../net/connection.js'
import { applyForwardedClientCert, type ClientCertDetails, describeClient } from './forwarded-client-cert.js'
import { createHeaderMap } from './header-map.js'
import type { HttpRequest } from './message.js'

const tls = {
  localUris: ['spiffe://c/server', 'spiffe://second'],
  peer: {
    ...{ hash: 'ab', subject: 'CN=a,O=Ac\\"me', uris: ['spiffe://c/client', 'x:y'], dns: ['a.example'] },
    pem: () => '-----BEGIN\n',
    chain: () => [new Uint8Array([1])],
  },
} as unknown as TlsInfo
const NONE: ClientCertDetails = { subject: false, cert: false, chain: false, dns: false, uri: false }
const JSON_ALL = { ...NONE, subject: true, cert: true, chain: true, dns: true, uri: true, json: true }
const ELEMENT =
  '{"by":["spiffe://c/server","spiffe://second"],"hash":"ab","cert":"-----BEGIN\\n","chain":["-----BEGIN CERTIFICATE-----\\nAQ==\\n-----END CERTIFICATE-----\\n"],"subject":"CN=a,O=Ac\\\\\\"me","uri":["spiffe://c/client","x:y"],"dns":["a.example"]}'
const TEXT = 'By=spiffe://c/server;By=spiffe://second;Hash=ab'

function header(manager: Partial<HttpManager>, before: readonly string[] = [], more: readonly [string, string][] = []) {
  const headers = createHeaderMap([...before.map((value): [string, string] => ['x-forwarded-client-cert', value]), ...more])
  const head = { headers, path: '/', method: 'GET', authority: 'a' } as HttpRequest
  applyForwardedClientCert(headers, manager as HttpManager, head, tls, describeClient(tls))
  return headers.getAll('x-forwarded-client-cert')
}

// As stock Envoy 1.40 forwards them.
it.each<[string, ClientCertDetails, readonly string[], string]>([
  ['text, alone', NONE, [], TEXT],
  ['text after text', NONE, ['By=x'], `By=x,${TEXT}`],
  ['JSON, alone', JSON_ALL, [], `[${ELEMENT}]`],
  ['JSON in a list', JSON_ALL, [' [{"hash":"y"} ] '], `[{"hash":"y"} ,${ELEMENT}]`],
  ['JSON in an empty list', JSON_ALL, ['[]'], `[${ELEMENT}]`],
  ['JSON where text is', { ...NONE, json: true }, ['By=x'], `By=x,${TEXT}`],
  ['text where JSON is', NONE, ['[1]'], '[1,{"by":["spiffe://c/server","spiffe://second"],"hash":"ab"}]'],
  ['what is no list', { ...NONE, json: true }, ['[oops'], `[oops,${TEXT}`],
])('%s', (_, setCurrentClientCert, before, expected) => {
  expect(header({ forwardClientCert: 'APPEND_FORWARD', setCurrentClientCert }, before)).toEqual([expected])
})

it('a request may have other settings than its manager', () => {
  const type = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
  const input = {
    name: 'i',
    typed_config: { '@type': 'type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput', header_name: 'x-m' },
  }
  const on = (exact: string, action: object): object => ({
    predicate: { single_predicate: { input, value_match: { exact } } },
    on_match: { action: { name: 'a', typed_config: { '@type': `${type}.ForwardClientCertConfig`, ...action } } },
  })
  const matchers = [
    on('set', { forward_client_cert_details: 'SANITIZE_SET', set_current_client_cert_details: { uri: true } }),
    on('keep', { forward_client_cert_details: 'ALWAYS_FORWARD_ONLY' }),
  ]
  const compiled = compileMessage({ forward_client_cert_matcher: { matcher_list: { matchers } } }, 'm', (fields) =>
    compileClientCertMatcher(fields as never),
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const manager = { forwardClientCert: 'SANITIZE', setCurrentClientCert: NONE, ...compiled.value } as const
  expect(header(manager, ['By=x'], [['x-m', 'set']])).toEqual([`${TEXT};URI=spiffe://c/client;URI=x:y`])
  expect(header(manager, ['By=x'], [['x-m', 'keep']])).toEqual(['By=x'])
  expect(header(manager, ['By=x'], [['x-m', 'other']])).toEqual([])
})
