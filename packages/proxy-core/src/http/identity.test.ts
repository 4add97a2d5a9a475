import { describe, expect, test } from 'vitest'
import { httpManager } from '../../test/harness.js'
import type { HttpManager } from '../config/compiled.js'
import type { Connection, TlsInfo } from '../net/connection.js'
import { createConnectionPair } from '../net/memory.js'
import { emptyBody } from './body.js'
import { applyForwardedClientCert, type DescribeClient, describeClient } from './forwarded-client-cert.js'
import { createHeaderMap } from './header-map.js'
import { identifyRequest, type RequestIdentity } from './identity.js'
import { createHeaderDetection, createXffDetection } from './ip-detection.js'
import type { HttpRequest } from './message.js'

interface Asked {
  readonly headers?: Record<string, string>
  readonly remote?: string
  readonly forwardedFor?: string
  readonly tls?: TlsInfo
  /** Port of the original destination. */
  readonly meantFor?: number
}

function ask(
  overrides: Partial<HttpManager>,
  { headers = {}, remote = '10.1.1.1', forwardedFor = remote, tls, meantFor }: Asked,
): { identity: RequestIdentity; headers: Record<string, string>; request: HttpRequest } {
  const manager = httpManager(overrides)
  const [, end] = createConnectionPair({ address: remote, port: 1 }, { address: '10.0.0.2', port: 80 })
  if (meantFor !== undefined) end.originalDestination = { address: '10.0.0.3', port: meantFor }
  const connection: Connection =
    tls === undefined ? end : Object.assign(Object.create(end) as Connection, { tls, remote: end.remote, local: end.local })
  const request: HttpRequest = {
    method: 'GET',
    scheme: 'http',
    authority: 'h',
    path: '/',
    protocol: 'HTTP/1.1',
    headers: createHeaderMap(Object.entries(headers)),
    body: emptyBody,
  }
  const describe: DescribeClient = tls === undefined ? () => '' : describeClient(tls)
  const identity = identifyRequest(
    request,
    manager,
    { connection, forwardedFor, describeClient: describe },
    { id: 'n1', cluster: 'apps' },
  )
  if (identity.kind === 'reject') throw new Error(identity.reply.details)
  return { identity, headers: Object.fromEntries(request.headers), request }
}

describe('x-forwarded-for', () => {
  test('is left alone without use_remote_address', () => {
    const { headers, identity } = ask({}, { headers: { 'x-forwarded-for': '1.2.3.4, 5.6.7.8' } })
    expect(headers['x-forwarded-for']).toBe('1.2.3.4, 5.6.7.8')
    expect(identity.clientAddress).toBe('5.6.7.8')
  })

  test('gets the peer with use_remote_address, which overwrites x-forwarded-proto', () => {
    const { headers, identity } = ask(
      { useRemoteAddress: true },
      { headers: { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https' } },
    )
    expect(headers).toMatchObject({ 'x-forwarded-for': '1.2.3.4,10.1.1.1', 'x-forwarded-proto': 'http' })
    expect(identity.clientAddress).toBe('10.1.1.1')
  })

  test('x-forwarded-proto goes by the port that a connection was meant for, where forward_proto_config names it', () => {
    const protoByPort = new Map([[8443, 'https'] as const])
    expect(ask({ protoByPort }, { meantFor: 8443 }).headers['x-forwarded-proto']).toBe('https')
    for (const meantFor of [8080, undefined])
      expect(ask({ protoByPort }, { ...(meantFor && { meantFor }) }).headers['x-forwarded-proto']).toBe('http')
  })

  test('a trusted hop is believed about the client and the protocol', () => {
    const { headers, identity, request } = ask(
      { useRemoteAddress: true, xffNumTrustedHops: 1 },
      { headers: { 'x-forwarded-for': '9.9.9.9, 1.2.3.4', 'x-forwarded-proto': 'https' } },
    )
    expect(headers['x-forwarded-proto']).toBe('https')
    expect(identity.clientAddress).toBe('1.2.3.4')
    expect(request.scheme).toBe('https')
  })

  test.each([['garbage'], ['']])('%j falls to the peer', (value) => {
    expect(ask({}, { headers: { 'x-forwarded-for': value } }).identity.clientAddress).toBe('10.1.1.1')
  })

  test.each<[string, number, boolean]>([
    ['10.1.1.2', 0, true],
    ['garbage', 0, false],
    ['10.1.1.2:80', 0, false],
    ['', 0, false],
    ['8.8.8.8', 1, false],
    ['10.1.1.2', 1, false],
  ])('%j behind %i trusted hops makes a request of an internal peer internal: %s', (value, xffNumTrustedHops, internal) => {
    const isInternalAddress = (address: string): boolean => address.startsWith('10.')
    const asked = { 'x-forwarded-for': value, 'x-envoy-upstream-rq-timeout-ms': '1' }
    const { identity, headers } = ask({ xffNumTrustedHops, isInternalAddress }, { headers: asked })
    expect(identity.internal).toBe(internal)
    expect('x-envoy-upstream-rq-timeout-ms' in headers).toBe(internal)
  })

  test('x-forwarded-port is that of the listener, and without use_remote_address that of who came before', () => {
    const port = (useRemoteAddress: boolean, headers: Record<string, string> = {}): string | undefined =>
      ask({ appendXForwardedPort: true, useRemoteAddress }, { headers }).headers['x-forwarded-port']
    expect([port(true), port(false), port(false, { 'x-forwarded-port': '99' })]).toEqual(['80', '80', '99'])
  })

  test("a client on 127.0.0.1 is written as the proxy's own address", () => {
    expect(ask({ useRemoteAddress: true }, { remote: '127.0.0.1', forwardedFor: '172.17.0.5' }).headers['x-forwarded-for']).toBe(
      '172.17.0.5',
    )
  })
})

describe('x-envoy-* headers of strangers', () => {
  const sent = {
    'x-envoy-retry-on': '5xx',
    'x-envoy-max-retries': '99',
    'x-envoy-upstream-rq-timeout-ms': '1',
    'x-envoy-original-path': '/admin',
    'x-envoy-internal': 'true',
    'x-own': 'stays',
  }
  test('are removed at the edge (CVE-2023-27487)', () => {
    const { headers } = ask({ useRemoteAddress: true }, { headers: sent })
    expect(Object.keys(headers).filter((name) => name.startsWith('x-envoy'))).toEqual(['x-envoy-external-address'])
    expect(headers['x-own']).toBe('stays')
  })

  test('behind the edge all but those for hops', () => {
    expect(Object.keys(ask({}, { headers: sent }).headers).filter((name) => name.startsWith('x-envoy'))).toEqual([
      'x-envoy-original-path',
    ])
  })

  test('of an internal peer they stay', () => {
    const { headers, identity } = ask(
      { useRemoteAddress: true, isInternalAddress: (address) => address === '10.1.1.1' },
      { headers: sent },
    )
    expect(headers).toMatchObject({ 'x-envoy-internal': 'true', 'x-envoy-retry-on': '5xx' })
    expect(identity.internal).toBe(true)
  })
})

describe('x-request-id', () => {
  test('is made when there is none, kept behind the edge, replaced at the edge unless told otherwise', () => {
    expect(ask({}, {}).identity.requestId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const headers = { 'x-request-id': 'theirs' }
    expect(ask({}, { headers }).identity.requestId).toBe('theirs')
    expect(ask({ useRemoteAddress: true }, { headers }).identity.requestId).not.toBe('theirs')
    expect(ask({ useRemoteAddress: true, preserveExternalRequestId: true }, { headers }).identity.requestId).toBe('theirs')
    expect(ask({ generateRequestId: false }, {}).headers['x-request-id']).toBeUndefined()
  })
})

describe('te', () => {
  test('only trailers go on', () => {
    expect(ask({}, { headers: { te: 'deflate, trailers' } }).headers['te']).toBe('trailers')
    expect(ask({}, { headers: { te: 'gzip' } }).headers['te']).toBeUndefined()
  })
})

describe('x-forwarded-client-cert', () => {
  const tls: TlsInfo = {
    version: 'TLSv1.3',
    peerVerified: true,
    peer: {
      hash: 'abc',
      serial: '01',
      validity: () => ({ from: 0, to: 0 }),
      subject: 'CN=\\"c\\",O=Org',
      uris: ['spiffe://a/ns/b/sa/c'],
      dns: ['c.example'],
      der: new Uint8Array(),
      pem: () => 'PEM +\n',
      chain: () => [Buffer.from('CHAIN')],
      issuer: () => undefined,
    },
    peerUris: ['spiffe://a/ns/b/sa/c'],
    localUris: ['spiffe://a/ns/b/sa/server'],
  }
  const all = { subject: true, cert: true, chain: false, dns: true, uri: true }
  const theirs = { 'x-forwarded-client-cert': 'Hash=forged' }
  const element =
    'By=spiffe://a/ns/b/sa/server;Hash=abc;Cert="PEM%20%2B%0A";Subject="CN=\\"c\\",O=Org";URI=spiffe://a/ns/b/sa/c;DNS=c.example'

  test.each([
    ['SANITIZE', undefined],
    ['FORWARD_ONLY', 'Hash=forged'],
    ['APPEND_FORWARD', `Hash=forged,${element}`],
    ['SANITIZE_SET', element],
    ['ALWAYS_FORWARD_ONLY', 'Hash=forged'],
  ] as const)('%s over mutual TLS', (forwardClientCert, expected) => {
    expect(
      ask({ forwardClientCert, setCurrentClientCert: all }, { headers: theirs, tls }).headers['x-forwarded-client-cert'],
    ).toBe(expected)
  })

  test.each(['FORWARD_ONLY', 'ALWAYS_FORWARD_ONLY'] as const)('%s passes several lines on as one', (forwardClientCert) => {
    const lines = createHeaderMap([
      ['x-forwarded-client-cert', 'By=a'],
      ['x-forwarded-client-cert', 'By=b,By=c'],
    ])
    const manager = httpManager({ forwardClientCert })
    applyForwardedClientCert(lines, manager, { headers: lines } as HttpRequest, tls, () => '')
    expect([...lines]).toEqual([['x-forwarded-client-cert', 'By=a,By=b,By=c']])
  })

  test.each([
    ['FORWARD_ONLY', undefined],
    ['APPEND_FORWARD', undefined],
    ['SANITIZE_SET', undefined],
    ['ALWAYS_FORWARD_ONLY', 'Hash=forged'],
  ] as const)('%s without a client certificate', (forwardClientCert, expected) => {
    expect(ask({ forwardClientCert, setCurrentClientCert: all }, { headers: theirs }).headers['x-forwarded-client-cert']).toBe(
      expected,
    )
  })
})

describe('original_ip_detection_extensions', () => {
  const byHeader = createHeaderDetection('x-real-ip', true, 403)
  const byXff = createXffDetection({ trustedHops: 1, append: false })

  test('a header of its own tells the client, and can make it internal', () => {
    const { identity, headers } = ask(
      { ipDetection: [byHeader], isInternalAddress: (address) => address === '5.6.7.8' },
      { headers: { 'x-real-ip': '5.6.7.8' } },
    )
    expect(identity).toMatchObject({ clientAddress: '5.6.7.8', internal: true })
    expect(headers['x-envoy-internal']).toBe('true')
  })

  test('without the header the request is refused', () => {
    expect(() => ask({ ipDetection: [byHeader] }, {})).toThrow('rejecting_because_detection_failed')
  })

  test('the next one is asked when one cannot tell; when none can it is the peer', () => {
    const ipDetection = [createHeaderDetection('x-real-ip', false, undefined), byXff]
    expect(ask({ ipDetection }, { headers: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2,3.3.3.3' } }).identity.clientAddress).toBe(
      '2.2.2.2',
    )
    expect(ask({ ipDetection }, { headers: { 'x-forwarded-for': '1.1.1.1' } }).identity.clientAddress).toBe('10.1.1.1')
  })

  test('by who is trusted, from the right; only behind a trusted peer', () => {
    const isTrusted = (address: string): boolean => address.startsWith('10.')
    const ipDetection = [createXffDetection({ trustedHops: 0, isTrusted, append: true })]
    const asked = ask({ ipDetection }, { headers: { 'x-forwarded-for': '1.1.1.1, 2.2.2.2, 10.0.0.9' } })
    expect(asked.identity.clientAddress).toBe('2.2.2.2')
    expect(asked.headers['x-forwarded-for']).toBe('1.1.1.1, 2.2.2.2, 10.0.0.9,10.1.1.1')
    const stranger = ask({ ipDetection }, { remote: '9.9.9.9', headers: { 'x-forwarded-for': '2.2.2.2' } })
    expect(stranger.identity.clientAddress).toBe('9.9.9.9')
    expect(stranger.headers['x-forwarded-for']).toBe('2.2.2.2,9.9.9.9')
  })

  test("who appends does so whatever it has learned, the proxy's own address for a client on 127.0.0.1", () => {
    const ipDetection = [createXffDetection({ trustedHops: 1, append: true })]
    const said = (headers: Record<string, string>): string | undefined =>
      ask({ ipDetection }, { remote: '127.0.0.1', forwardedFor: '172.17.0.5', headers }).headers['x-forwarded-for']
    expect(said({})).toBe('172.17.0.5')
    expect(said({ 'x-forwarded-for': '1.2.3.4:80' })).toBe('1.2.3.4:80,172.17.0.5')
  })
})

test("add_user_agent says who the proxy is, and leaves the client's own name", () => {
  const who = { 'x-envoy-downstream-service-cluster': 'apps', 'x-envoy-downstream-service-node': 'n1' }
  expect(ask({ addUserAgent: true }, {}).headers).toMatchObject({ 'user-agent': 'apps', ...who })
  expect(ask({ addUserAgent: true }, { headers: { 'user-agent': 'curl' } }).headers).toMatchObject({
    'user-agent': 'curl',
    ...who,
  })
})
