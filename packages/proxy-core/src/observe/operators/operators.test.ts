import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import { emptyStreamInfo } from '../../http/new-stream-info.js'
import type { StreamInfo } from '../../http/stream-info.js'
import type { Connection, TlsInfo } from '../../net/connection.js'
import type { Endpoint } from '../../upstream/endpoint.js'
import type { AccessLogEntry } from '../access-log.js'
import { compileTextFormat } from '../log-format.js'

const endpoint = (address: string, hostname?: string): Endpoint => ({
  address: { address, port: 80 },
  weight: 1,
  priority: 0,
  locality: { region: '', zone: '', subZone: '' },
  health: 'HEALTHY',
  metadata: {},
  ...(hostname !== undefined && { hostname }),
})

const wire = { received: 1, sent: 2, headersReceived: 3, headersSent: 4, fieldsReceived: 5, fieldsSent: 6 }

function entry(change: Partial<StreamInfo> = {}, more: Partial<AccessLogEntry> = {}): AccessLogEntry {
  const info = Object.assign(emptyStreamInfo(), {
    ...{ startTime: Date.UTC(2026, 10, 21), start: 100, requestEnd: 110, upstreamStart: 105, upstreamFirstByte: 130.5 },
    ...{ upstreamEnd: 140, end: 150, method: 'GET', path: '/p?a=%20b', authority: 'web', protocol: 'HTTP/1.1', status: 200 },
    ...change,
  })
  const requestHeaders = createHeaderMap([['x-forwarded-proto', 'http']])
  const responseHeaders = createHeaderMap([['server', 'envoy']])
  return { info, requestHeaders, responseHeaders, downstreamWire: wire, ...more }
}

function line(format: string, of: AccessLogEntry = entry()): string {
  const compiled = compileTextFormat(format, 'format', { omitEmptyValues: false })
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
  return compiled.value(of)
}

describe('operators of bytes', () => {
  it('count what is on the wire, and the names and values of headers', () => {
    const both =
      '%DOWNSTREAM_WIRE_BYTES_RECEIVED% %DOWNSTREAM_WIRE_BYTES_SENT% %DOWNSTREAM_HEADER_BYTES_RECEIVED% %DOWNSTREAM_HEADER_BYTES_SENT%'
    expect(line(both)).toBe('1 2 3 4')
    expect(line('%UPSTREAM_WIRE_BYTES_SENT%')).toBe('0')
    // :method GET, :path, :authority web, :scheme http, x-forwarded-proto http
    expect(line('%REQUEST_HEADERS_BYTES% %RESPONSE_HEADERS_BYTES% %RESPONSE_TRAILERS_BYTES%')).toBe('69 21 0')
  })

  it('of a TCP connection are its payload', () => {
    const tcp: AccessLogEntry = { info: Object.assign(emptyStreamInfo(), { bytesReceived: 5, bytesSent: 7 }) }
    expect(
      line(
        '%DOWNSTREAM_WIRE_BYTES_RECEIVED% %UPSTREAM_WIRE_BYTES_SENT% %UPSTREAM_WIRE_BYTES_RECEIVED% %REQUEST_HEADERS_BYTES%',
        tcp,
      ),
    ).toBe('5 5 7 0')
  })

  it('tell headers before their compression', () => {
    expect(line('%DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED% %DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT%')).toBe('5 6')
    expect(line('%UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED%')).toBe('0')
  })
})

describe('operators of connections', () => {
  const upstreamConnection = { times: { began: 101, connected: 102, secured: 104 } } as Connection
  const downstreamTimes = { began: 40, connected: 40, secured: 48.5 }
  const times =
    '%COMMON_DURATION(DS_CX_BEG:DS_RX_BEG:ms)% %COMMON_DURATION(US_CX_BEG:US_CX_END:ms)% %COMMON_DURATION(US_CX_END:US_HS_END:ms)%'
  const waits = '%DOWNSTREAM_HANDSHAKE_DURATION% %UPSTREAM_CONNECTION_POOL_READY_DURATION%'

  it('tell when they came about', () => {
    expect(line(times, entry({ downstreamTimes, upstreamConnection }))).toBe('60 1 2')
    expect(line(waits, entry({ downstreamTimes, upstreamConnection, attemptStart: 100 }))).toBe('-51 5')
    expect(line('%COMMON_DURATION(DS_CX_BEG:DS_CX_END:ms)%', entry({ downstreamTimes })), 'a request ends before').toBe('-')
    expect(line(`${times} ${waits}`)).toBe('- - - - -')
  })

  it('tell of a connection that was made for an earlier request when that was', () => {
    const before = { times: { began: 50, connected: 52 } } as Connection
    const of = entry({ downstreamTimes, upstreamConnection: before })
    expect(line(`${times} %COMMON_DURATION(US_CX_BEG:US_TX_BEG:ms)%`, of)).toBe('60 2 - 55')
  })

  it('tell a TCP connection from its beginning to its end', () => {
    const tcp = { info: Object.assign(emptyStreamInfo(), { start: 40, end: 50, downstreamTimes, upstreamConnection }) }
    expect(line(`%COMMON_DURATION(DS_CX_BEG:DS_CX_END:ms)% ${waits}`, tcp)).toBe('10 - 3')
  })

  it('number those that were tried', () => {
    const [first, second] = [{}, {}] as Connection[]
    const of = entry({ upstreamConnection: second, earlierConnections: [first!] })
    const [one, two] = line('%UPSTREAM_CONNECTION_IDS_ATTEMPTED%', of).split(',')
    expect([two, one === two]).toEqual([line('%UPSTREAM_CONNECTION_ID%', of), false])
    expect(line('%UPSTREAM_CONNECTION_IDS_ATTEMPTED%')).toBe('-')
  })

  it('tell how they end', () => {
    const both = '%DOWNSTREAM_DETECTED_CLOSE_TYPE% %UPSTREAM_DETECTED_CLOSE_TYPE%'
    const end = (reset?: 'remote' | 'local'): Connection => ({ reset }) as Connection
    expect(line(both, entry({ upstreamConnection: end('remote') }, { connection: end('local') }))).toBe('LocalReset RemoteReset')
    expect(line(both, entry({}, { connection: end() }))).toBe('Normal -')
  })

  it('tell where they are served', () => {
    const metadata = (of: string): { n: { k: string } } => ({ n: { k: of } })
    const servedAt = { filterChainName: 'c', filterChainMetadata: metadata('chain'), listenerMetadata: metadata('listener') }
    const of = entry({ servedAt, virtualHostMetadata: metadata('host'), tlsFingerprints: { ja3: 'a', ja4: undefined } })
    expect(line('%METADATA(LISTENER:n:k)% %METADATA(LISTENER_FILTER_CHAIN:n:k)% %METADATA(VIRTUAL_HOST:n:k)%', of)).toBe(
      'listener chain host',
    )
    expect(line('%FILTER_CHAIN_NAME% %TLS_JA3_FINGERPRINT% %TLS_JA4_FINGERPRINT%', of)).toBe('c a -')
    expect(line('%CEL(xds.virtual_host_metadata.filter_metadata.n.k)% %CEL(xds.filter_chain_name)%', of)).toBe('host c')
  })
})

it.each([
  ['%REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION% %DURATION%', '10 10 30 19 50'],
  [
    '%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ms)% %COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)% %COMMON_DURATION(US_RX_END:DS_TX_END:ns)%',
    '5 25500 10000000',
  ],
  ['%COMMON_DURATION(DS_TX_BEG:DS_RX_BEG:ms)% %COMMON_DURATION(DS_RX_BEG:DS_RX_BEG:ms)%', '- 0'],
  ['%ROUNDTRIP_DURATION%', '-'],
  ['%EMIT_TIME(%H:%M:%S.%3f)%', '00:00:00.050'],
  ['%QUERY_PARAMS% %QUERY_PARAMS(DECODED)%', 'a=%20b a= b'],
  ['%REQUEST_HEADER(X-FORWARDED-PROTO)% %RESPONSE_HEADER(SERVER)% %REQ_WITHOUT_QUERY(:PATH)%', 'http envoy /p'],
  ['%REQUESTED_SERVER_NAME(SNI_FIRST)% %REQUESTED_SERVER_NAME(HOST_FIRST:HOST)% %REQUESTED_SERVER_NAME(SNI_ONLY)%', 'web web -'],
  ['%COALESCE({"operators": ["REQUESTED_SERVER_NAME", {"command": "REQ", "param": ":authority", "max_length": 2}]})%', 'we'],
  ['%CEL(request.method.startsWith("G") && response.code == 200)% %TYPED_CEL(response.code + 1)%', 'true 201'],
  ['%CEL(request.nothing.at.all)%', '-'],
  ['%UPSTREAM_CONNECTION_ID% %CONNECTION_ID%', '0 0'],
])('%s', (format, expected) => {
  expect(line(format)).toBe(expected)
})

it('tell the request that nobody answered upstream apart', () => {
  const local = entry({ requestEnd: undefined, upstreamStart: undefined, upstreamFirstByte: undefined, upstreamEnd: undefined })
  expect(line('%REQUEST_DURATION% %REQUEST_TX_DURATION% %RESPONSE_DURATION%', local)).toBe('0 - -')
})

it('list the endpoints that were connected to, each once', () => {
  const [first, last] = [endpoint('10.0.0.1'), endpoint('10.0.0.2', 'app:81')]
  const all =
    '%UPSTREAM_HOSTS_ATTEMPTED% %UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT% %UPSTREAM_HOST_NAMES_ATTEMPTED% %UPSTREAM_HOST_NAME_WITHOUT_PORT%'
  expect(line(all, entry({ endpoint: last, connected: true, attempted: [first, last] }))).toBe(
    '10.0.0.1:80,10.0.0.2:80 10.0.0.1,10.0.0.2 10.0.0.1:80,app:81 app',
  )
  const some = '%UPSTREAM_HOSTS_ATTEMPTED%'
  expect(line(some, entry({ endpoint: last, connected: true }))).toBe('10.0.0.2:80')
  expect(line(some, entry({ endpoint: last, connected: false, attempted: [first] }))).toBe('10.0.0.1:80')
  expect(line(some, entry({ endpoint: last, connected: false }))).toBe('-')
})

it('name a cluster by its alt_stat_name', () => {
  const all = '%UPSTREAM_CLUSTER% %UPSTREAM_CLUSTER_RAW%'
  expect(line(all, entry({ cluster: 'app', clusterStatName: undefined }))).toBe('app app')
  expect(line(all, entry({ cluster: 'app', clusterStatName: 'other' }))).toBe('other app')
})

it('name every URI of a certificate', () => {
  const tls = (who: string) => ({ peer: { uris: [`${who}-peer`, 'p2'] }, localUris: [`${who}-own`, 'o2'] }) as unknown as TlsInfo
  const all = '%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_LOCAL_URI_SAN% %UPSTREAM_PEER_URI_SAN% %UPSTREAM_LOCAL_URI_SAN%'
  expect(line(all, entry({ downstreamTls: tls('down'), upstreamTls: tls('up') }))).toBe(
    'down-peer,p2 down-own,o2 up-peer,p2 up-own,o2',
  )
  const [peerPrincipal, localPrincipal, upstreamPeerPrincipal, upstreamLocalPrincipal] = ['a', 'b', 'c', 'd']
  const principals = { peerPrincipal, localPrincipal, upstreamPeerPrincipal, upstreamLocalPrincipal }
  expect(line(all, entry(principals)), 'without a certificate of their own').toBe('a b c d')
})

it('mask addresses, and give connections numbers that stay', () => {
  const connection = { local: { address: '10.1.10.23', port: 80 } } as Connection
  const of = entry({ downstreamRemote: '[2001:db8:1234:5678::1]:5' }, { connection })
  expect(line('%DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT(16)% %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(32)%', of)).toBe(
    '10.1.0.0/16 2001:db8::/32',
  )
  expect(line('%CONNECTION_ID%', of)).toBe(line('%CONNECTION_ID%', of))
  expect(line('%CONNECTION_ID%', of)).not.toBe('0')
})

it.each([
  ['%SECRET(name)%', /SECRET.*does not support/],
  ['%NOBODY_KNOWS%', /no command operator/],
  ['%COMMON_DURATION(DS_RX_BEG:US_NEVER:ms)%', /DS_RX_BEG, DS_RX_END/],
  ['%COALESCE({"operators": ["NOBODY_KNOWS"]})%', /NOBODY_KNOWS/],
  ['%COALESCE({})%', /operators/],
  ['%CEL(1 +)%', /no CEL expression/],
  ['%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(129)%', /length of a prefix/],
  ['%REQUESTED_SERVER_NAME(ANY)%', /SNI_ONLY/],
  ['%FILTER_STATE(k:FIELD)%', /FIELD:NAME/],
])('%s is refused by name', (format, why) => {
  expect(() => line(format)).toThrow(why)
})
