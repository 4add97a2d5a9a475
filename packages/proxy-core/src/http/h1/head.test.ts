import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Head, type HeadLimits, parseRequestHead, parseResponseHead } from './head.js'

const limits: HeadLimits = { maxBytes: 60 * 1024, maxHeaders: 100, http1: {} }
const request = (text: string): ReturnType<typeof parseRequestHead> => {
  const bytes = Buffer.from(text, 'latin1')
  return parseRequestHead(bytes, 0, bytes.length, limits)
}
const response = (text: string): ReturnType<typeof parseResponseHead> => {
  const bytes = Buffer.from(text, 'latin1')
  return parseResponseHead(bytes, 0, bytes.length, limits)
}
const headOf = (outcome: ReturnType<typeof parseRequestHead>): Head => {
  if (outcome === 'more' || 'details' in outcome) throw new Error(JSON.stringify(outcome))
  return outcome
}
const refused = (outcome: ReturnType<typeof parseRequestHead>): string =>
  outcome === 'more' ? 'more' : 'details' in outcome ? `${outcome.status} ${outcome.details}` : 'taken'

describe('request heads', () => {
  test('names are lower case, values without surrounding spaces (CVE-2019-18802)', () => {
    const head = headOf(request('GET /p?q HTTP/1.1\r\nHost: h:80\r\nX-Own:\t one \t\r\nX-own: two\r\n\r\nrest'))
    expect(head).toMatchObject({
      method: 'GET',
      target: '/p?q',
      host: 'h:80',
      minor: 1,
      contentLength: -1,
      chunked: false,
      close: false,
    })
    expect([...head.headers]).toEqual([
      ['x-own', 'one'],
      ['x-own', 'two'],
    ])
    expect(head.size).toBe('GET /p?q HTTP/1.1\r\nHost: h:80\r\nX-Own:\t one \t\r\nX-own: two\r\n\r\n'.length)
  })

  test('obs-text passes octet by octet, names of prototypes are names (CVE-2026-21710)', () => {
    const head = headOf(request('GET / HTTP/1.1\r\nhost: h\r\n__proto__: \xe9\r\nconstructor: c\r\n\r\n'))
    expect([...head.headers]).toEqual([
      ['__proto__', '\xe9'],
      ['constructor', 'c'],
    ])
  })

  test('cut anywhere, a head is the same or asks for more', () => {
    const text =
      'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\nConnection: x-hop, close\r\nX-Hop: gone\r\nX-Stays: here\r\n\r\n'
    const bytes = Buffer.from(text)
    for (let end = 0; end < bytes.length; end++) expect(parseRequestHead(bytes, 0, end, limits)).toBe('more')
    const head = headOf(parseRequestHead(bytes, 0, bytes.length, limits))
    expect([...head.headers]).toEqual([
      ['content-length', '12'],
      ['x-stays', 'here'],
    ])
    expect(head).toMatchObject({ contentLength: 12, close: true })
  })

  test.each([
    ['\\xa0chunked (BadTransferEncoding)', 'transfer-encoding: \xa0chunked', '501 http1.invalid_transfer_encoding'],
    ['chunked\\xa0', 'transfer-encoding: chunked\xa0', '501 http1.invalid_transfer_encoding'],
    ['xchunked', 'transfer-encoding: xchunked', '501 http1.invalid_transfer_encoding'],
    [',chunked', 'transfer-encoding: ,chunked', '501 http1.invalid_transfer_encoding'],
    ['gzip, chunked', 'transfer-encoding: gzip, chunked', '501 http1.invalid_transfer_encoding'],
    ['chunked twice', 'transfer-encoding: chunked\r\ntransfer-encoding: chunked', '501 http1.invalid_transfer_encoding'],
    ['length and chunked', 'content-length: 3\r\ntransfer-encoding: chunked', '400 http1.content_length_and_chunked_not_allowed'],
    ['two equal lengths (CVE-2026-1525)', 'content-length: 3\r\nContent-Length: 3', '400 http1.codec_error'],
    ['a list of lengths', 'content-length: 3, 3', '400 http1.codec_error'],
    ['a signed length', 'content-length: +3', '400 http1.codec_error'],
    ['a hex length', 'content-length: 0x3', '400 http1.codec_error'],
    ['a huge length', 'content-length: 99999999999999999999', '400 http1.codec_error'],
    ['NUL in a value (CVE-2019-9900)', 'x: a\0b', '400 http1.invalid_characters'],
    ['bare CR in a value', 'x: a\rb', '400 http1.codec_error'],
    ['bare LF', 'x: a\nb: c', '400 http1.codec_error'],
    ['a folded line', 'x: a\r\n b', '400 http1.codec_error'],
    ['space before the colon (CVE-2024-27982)', 'content-length : 3', '400 http1.codec_error'],
    ['space before the name', ' x: y', '400 http1.codec_error'],
    ['an empty name', ': y', '400 http1.codec_error'],
    ['two hosts', 'host: other', '400 http1.codec_error'],
  ])('refused: %s', (_, lines, why) => {
    expect(refused(request(`GET / HTTP/1.1\r\nhost: h\r\n${lines}\r\n\r\n`))).toBe(why)
  })

  test('a block must end in CRLF CRLF, not CRLF CR x (CVE-2025-23167)', () => {
    expect(refused(request('GET / HTTP/1.1\r\nhost: h\r\n\rX'))).toBe('400 http1.codec_error')
  })

  test.each([
    ['GET  / HTTP/1.1', '400 http1.codec_error'],
    ['GET /\x80 HTTP/1.1', '400 http1.codec_error'],
    ['GET /', '426 low_version'],
    ['GET /a\rHTTP/1.1', '400 http1.codec_error'],
    ['GET / HTTP/1.1 ', '400 http1.codec_error'],
    ['GET / HTTP/2.0', '426 low_version'],
    ['GET / HTTP/0.9', '426 low_version'],
    ['GET / http/1.1', '400 http1.codec_error'],
    ['get / HTTP/1.1', '400 http1.codec_error'],
    ['CUSTOM / HTTP/1.1', '400 http1.codec_error'],
    ['G(T / HTTP/1.1', '400 http1.codec_error'],
    ['\x16\x03\x01 HTTP/1.1', '400 http1.codec_error'],
  ])('request line %j: %s', (line, why) => {
    expect(refused(request(`${line}\r\nhost: h\r\n\r\n`))).toBe(why)
  })

  test('proxy-connection: close means what it means without the proxy', () => {
    const closes = (field: string): boolean => headOf(request(`GET / HTTP/1.1\r\nhost: h\r\n${field}\r\n\r\n`)).close
    expect([closes('proxy-connection: Close'), closes('proxy-connection: keep-alive')]).toEqual([true, false])
  })

  test('CONNECT has no content', () => {
    const connect = (field: string): string => refused(request(`CONNECT a:1 HTTP/1.1\r\nhost: a\r\n${field}\r\n\r\n`))
    expect(connect('content-length: 3')).toBe('400 http1.body_disallowed')
    expect(connect('transfer-encoding: chunked')).toBe('501 http1.invalid_transfer_encoding')
    const empty = headOf(request('CONNECT a:1 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'))
    expect([...empty.headers]).toEqual([])
  })

  test('chunked in HTTP/1.0 is faulty framing', () => {
    expect(refused(request('POST / HTTP/1.0\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n'))).toBe(
      '501 http1.invalid_transfer_encoding',
    )
  })

  test('limits are refusals, never truncation (CVE-2026-58044)', () => {
    const many = `GET / HTTP/1.1\r\nhost: h\r\n${'x: y\r\n'.repeat(100)}\r\n`
    expect(refused(request(many))).toBe('431 http1.too_many_headers')
    expect(refused(request(`GET /${'a'.repeat(62_000)}`))).toBe('431 http1.headers_too_large')
    expect(refused(request(`GET / HTTP/1.1\r\nhost: h\r\nx: ${'a'.repeat(62_000)}\r\n\r\n`))).toBe('431 http1.headers_too_large')
  })

  test('connection options end here, close beats keep-alive', () => {
    const head = headOf(request('GET / HTTP/1.0\r\nhost: h\r\nconnection: keep-alive, close\r\n\r\n'))
    expect(head.close).toBe(true)
    expect(headOf(request('GET / HTTP/1.0\r\nhost: h\r\nconnection: keep-alive\r\n\r\n')).close).toBe(false)
    expect(headOf(request('GET / HTTP/1.1\r\nhost: h\r\nupgrade: WebSocket\r\nconnection: Upgrade\r\n\r\n')).upgrade).toBe(
      'websocket',
    )
    expect(headOf(request('GET / HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\n\r\n')).upgrade).toBeUndefined()
  })

  test('fields that connection names end here; that trailers are welcome goes on, and origins stay (Envoy)', () => {
    const of = (lines: string) => headOf(request(`GET / HTTP/1.1\r\nhost: h\r\n${lines}\r\n\r\n`))
    expect([...of('x-a: 1\r\nx-b: 2\r\nconnection: X-A, close').headers]).toEqual([['x-b', '2']])
    expect(of('te: gzip, Trailers\r\nconnection: te').headers.get('te')).toBe('trailers')
    expect(of('te: gzip\r\nconnection: te').headers.has('te')).toBe(false)
    expect(of('connection: host').host).toBeUndefined()
    expect(of('x-a: 1\r\nupgrade: foo\r\nconnection: Upgrade, x-a').headers.get('connection')).toBe('Upgrade')
  })

  test.each([['x-forwarded-for'], ['X-Forwarded-Host'], ['close, x-forwarded-proto'], [':path'], ['a,b,c,d,e,f,g,h,i,j']])(
    'connection: %s is refused',
    (options) => {
      expect(refused(request(`GET / HTTP/1.1\r\nhost: h\r\nconnection: ${options}\r\n\r\n`))).toBe(
        '400 http1.connection_header_rejected',
      )
    },
  )

  test('any bytes are taken, refused or incomplete, and never crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const outcome = parseRequestHead(Buffer.from(bytes), 0, bytes.length, limits)
        expect(outcome === 'more' || 'details' in outcome || outcome.size <= bytes.length).toBe(true)
      }),
    )
  })

  test('what was written is what is read', () => {
    const token = fc
      .stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,20}$/)
      .filter(
        (name) =>
          ![
            'host',
            'connection',
            'upgrade',
            'expect',
            'content-length',
            'transfer-encoding',
            'keep-alive',
            'proxy-connection',
          ].includes(name),
      )
    const value = fc.stringMatching(/^[!-~]([ -~]{0,30}[!-~])?$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(token, value), { maxLength: 20 }), (fields) => {
        const text = `GET / HTTP/1.1\r\nhost: h\r\n${fields.map(([name, content]) => `${name}: ${content}\r\n`).join('')}\r\n`
        expect([...headOf(request(text)).headers]).toEqual(fields)
      }),
    )
  })
})

describe('response heads', () => {
  test('status, reason and fields; the reason may be empty or missing', () => {
    for (const line of ['HTTP/1.1 404 Not Found', 'HTTP/1.1 404 ', 'HTTP/1.1 404'])
      expect(headOf(response(`${line}\r\nx: y\r\n\r\n`))).toMatchObject({ status: 404, close: false })
    expect(headOf(response('HTTP/1.0 200 OK\r\n\r\n')).close).toBe(true)
  })

  test('cut anywhere it asks for more', () => {
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n')
    for (let end = 0; end < bytes.length; end++) expect(parseResponseHead(bytes, 0, end, limits)).toBe('more')
  })

  test.each([
    'HTTP/2.0 200 OK',
    'HTTP/1.1 99 Low',
    'HTTP/1.1 2000',
    'HTTP/1.1 2x0 OK',
    'ICY 200 OK is a long line',
    'HTTP/1.1 200 O\0K',
  ])('refused: %j', (line) => {
    expect(refused(response(`${line}\r\n\r\n`))).toBe('400 http1.codec_error')
  })
})

test('allow_chunked_length: chunked counts, and the length goes', () => {
  const bytes = Buffer.from('POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n')
  const head = parseRequestHead(bytes, 0, bytes.length, { ...limits, http1: { allowChunkedLength: true } }) as Head
  expect([head.chunked, head.contentLength, head.headers.has('content-length')]).toEqual([true, -1, false])
})

test('preserve_case remembers names as they came, __proto__ among them', () => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nHost: h\r\nX-CamelCase: 1\r\n__Proto__: 2\r\n\r\n')
  const read = (keyFormat: 'PRESERVE_CASE' | 'PRESERVE_CASE_AND_PROPER'): Head =>
    parseRequestHead(bytes, 0, bytes.length, { ...limits, http1: { keyFormat } }) as Head
  const names = ['host', 'x-camelcase', '__proto__', 'x-added']
  expect(names.map(read('PRESERVE_CASE').headers.casing!)).toEqual(['Host', 'X-CamelCase', '__Proto__', 'x-added'])
  expect(read('PRESERVE_CASE_AND_PROPER').headers.clone().casing!('x-added')).toBe('X-Added')
})
