import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bodyOf, readBody, readWhole } from '../../http/body.js'
import { transformBody } from '../../http/body-transform.js'
import type { HttpStream } from '../../http/filter.js'
import { createHeaderMap } from '../../http/header-map.js'
import type { BodySink } from '../../http/message.js'
import { hasZstd } from './compression.js'
import { compressorFilter } from './compressor.js'
import { decompressorFilter } from './decompressor.js'
import { configured, deps, must, response, stream } from './testing.js'

const library = (kind: string, rest: object = {}) => ({
  name: kind,
  typed_config: {
    '@type': `type.googleapis.com/envoy.extensions.compression.${kind}.compressor.v3.${kind[0]!.toUpperCase()}${kind.slice(1)}`,
    ...rest,
  },
})
const decompressorLibrary = (kind: string) => ({
  name: kind,
  typed_config: {
    '@type': `type.googleapis.com/envoy.extensions.compression.${kind}.decompressor.v3.${kind[0]!.toUpperCase()}${kind.slice(1)}`,
  },
})
const TEXT = 'hello '.repeat(2_000)

function answer(text: string, headers: Record<string, string> = {}) {
  const made = response({ 'content-type': 'text/plain', ...headers })
  made.body = bodyOf(text)
  return made
}

function through(config: object, headers: Record<string, string>, made = answer(TEXT), perRoute?: unknown) {
  const asked = stream({ headers, perRoute })
  const filter = configured(compressorFilter, { compressor_library: library('gzip'), ...config })(asked)
  void filter.onRequest!(asked.request, asked)
  void filter.onResponse!(made, asked)
  return made
}

describe('compressor', () => {
  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['brotli', 'br', brotliDecompressSync],
  ] as const)('%s', async (kind, coding, inflate) => {
    const made = through({ compressor_library: library(kind) }, { 'accept-encoding': coding })
    expect(made.headers.get('content-encoding')).toBe(coding)
    expect(made.body.length).toBeUndefined()
    const bytes = await readBody(made.body, 1e6)
    expect(bytes.length).toBeLessThan(TEXT.length / 10)
    expect(inflate(bytes).toString()).toBe(TEXT)
  })

  const STATUS = 'x-envoy-compression-status'
  it.each<[string, object, number, Record<string, string>, string]>([
    ['is told', {}, 200, {}, 'gzip;Compressed;OriginalLength=200'],
    ['is told after what is there', {}, 200, { [STATUS]: 'br;Compressed' }, 'br;Compressed, gzip;Compressed;OriginalLength=200'],
    ['a short body', {}, 404, { 'content-length': '3', etag: '"a"' }, 'gzip;ContentLengthTooSmall'],
    ['another type', {}, 404, { 'content-type': 'image/png' }, 'gzip;ContentTypeNotAllowed'],
    ['an etag', { disable_on_etag_header: true }, 404, { etag: '"a"' }, 'gzip;EtagNotAllowed'],
    ['uncompressible_response_codes', {}, 404, {}, 'gzip;StatusCodeNotAllowed'],
    ['a body that is coded', {}, 200, { 'content-encoding': 'br' }, ''],
  ])('status_header_enabled: %s', (_, config, status, headers, told) => {
    const response_direction_config = { status_header_enabled: true, uncompressible_response_codes: [404], ...config }
    const made = answer(TEXT, { 'content-length': '200', ...headers })
    made.status = status
    through({ response_direction_config }, { 'accept-encoding': 'gzip' }, made)
    expect(made.headers.get(STATUS) ?? '').toBe(told)
    expect(made.headers.get('content-encoding')).toBe(told.endsWith('=200') ? 'gzip' : headers['content-encoding'])
    expect(made.headers.has('vary')).toBe(told.endsWith('=200'))
  })

  it.each([
    ['"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"'],
  ])('weaken_etag_on_compress: %s becomes %s', (etag, weak) => {
    const made = answer(TEXT, { etag })
    through({ response_direction_config: { weaken_etag_on_compress: true } }, { 'accept-encoding': 'gzip' }, made)
    expect(made.headers.get('etag')).toBe(weak)
  })

  const off = { disabled: true }
  it.each<[string, string, object, object | undefined, string | undefined]>([
    ['of all that are offered', 'br, gzip', {}, undefined, 'br'],
    ['what the route has off is offered as well', 'gzip, br', {}, off, undefined],
    ['what else there is', 'br', {}, off, 'br'],
    ['not those that do not take the type', 'gzip, br', { common_config: { content_type: ['text/css'] } }, undefined, 'br'],
    ['none after Accept-Encoding is taken away', 'br', { remove_accept_encoding_header: true }, undefined, undefined],
    ['but before', 'gzip', { remove_accept_encoding_header: true }, undefined, 'gzip'],
  ])('two in a chain: %s', (_, accepts, response_direction_config, perRoute, coding) => {
    const asked = stream({ headers: { 'accept-encoding': accepts } })
    const route = perRoute && must(compressorFilter.decodePerRoute!(perRoute as Record<string, unknown>, 'c'))
    const first = { ...asked, perRouteConfig: () => route } as HttpStream
    const filters = [
      configured(compressorFilter, { compressor_library: library('gzip'), response_direction_config })(first),
      configured(compressorFilter, { compressor_library: library('brotli') })(asked),
    ]
    const made = answer(TEXT)
    for (const filter of filters) void filter.onRequest!(asked.request, asked)
    for (const filter of filters.toReversed()) void filter.onResponse!(made, asked)
    expect(made.headers.get('content-encoding')).toBe(coding)
    expect(made.headers.get('vary')).toBe('Accept-Encoding')
  })

  it.each([
    ['X', 'X, Accept-Encoding'],
    ['X, Accept-Encoding', 'X, Accept-Encoding'],
    ['accept-encoding', 'accept-encoding, Accept-Encoding'],
  ])('vary %s becomes %s', (vary, want) => {
    expect(through({}, { 'accept-encoding': 'gzip' }, answer(TEXT, { vary })).headers.get('vary')).toBe(want)
  })

  it.each<[Record<string, string>, object, string[]]>([
    [{ 'accept-encoding': 'gzip' }, {}, ['compressed', 'header_compressor_used']],
    [
      { 'accept-encoding': 'gzip' },
      { request_direction_config: {} },
      ['response_compressed', 'header_compressor_used', 'request_not_compressed'],
    ],
    [{ 'accept-encoding': '*' }, {}, ['compressed', 'header_wildcard']],
    [{ 'accept-encoding': 'identity' }, {}, ['not_compressed', 'header_identity']],
    [{ 'accept-encoding': 'br' }, {}, ['not_compressed', 'header_not_valid']],
    [{}, {}, ['not_compressed', 'no_accept_header']],
    [
      {},
      { response_direction_config: { common_config: { min_content_length: 1e6 } } },
      ['not_compressed', 'content_length_too_small'],
    ],
    [{}, { response_direction_config: { disable_on_etag_header: true } }, ['not_compressed', 'not_compressed_etag']],
  ])('counts for %j with %j: %j', (headers, config, want) => {
    const own = deps({ statPrefix: 'in' })
    const asked = stream({ headers })
    const made = answer(TEXT, { etag: '"a"', 'content-length': '12000' })
    const filter = configured(compressorFilter, { compressor_library: library('gzip'), ...config }, own)(asked)
    void filter.onRequest!(asked.request, asked)
    void filter.onResponse!(made, asked)
    const counted = [...own.stats.families()].map(({ name }) => name.replace('envoy_http_compressor_gzip_gzip_', ''))
    expect(counted.toSorted()).toEqual(want.toSorted())
  })

  it('compresses with the library that the route names', () => {
    const perRoute = compressorFilter.decodePerRoute?.({ overrides: { compressor_library: library('brotli') } }, 'c')
    for (const [accepted, coding] of [
      ['br, gzip', 'br'],
      ['gzip', undefined],
    ] as const) {
      const made = through({}, { 'accept-encoding': accepted }, answer(TEXT), perRoute?.ok && perRoute.value)
      expect(made.headers.get('content-encoding')).toBe(coding)
    }
  })

  it.each([
    ['application/wasm', true],
    ['text/plain', false],
    ['Application/wasm', false],
  ])('content_type_matcher decides alone: %s is compressed: %s', (type, compressed) => {
    const common_config = { content_type: ['text/plain'], content_type_matcher: [{ prefix: 'application/' }] }
    const made = answer(TEXT, { 'content-type': type })
    through({ response_direction_config: { common_config } }, { 'accept-encoding': 'gzip' }, made)
    expect(made.headers.has('content-encoding')).toBe(compressed)
  })

  const refused = (): void => {
    const { diagnostics } = compressorFilter.decode({ compressor_library: library('zstd') }, 'c')
    expect(diagnostics[0]?.message).toContain('zstd')
  }
  const thereAndBack = async (): Promise<void> => {
    const made = through({ compressor_library: library('zstd') }, { 'accept-encoding': 'zstd' })
    expect(made.headers.get('content-encoding')).toBe('zstd')
    const asked = stream()
    const filter = configured(decompressorFilter, { decompressor_library: decompressorLibrary('zstd') })(asked)
    void filter.onRequest!(asked.request, asked)
    void filter.onResponse!(made, asked)
    expect(Buffer.from(await readBody(made.body, 1e6)).toString()).toBe(TEXT)
  }
  it('zstd, there and back; refused by name where Node has none', hasZstd ? thereAndBack : refused)

  it('gives what has come so far at once, and trailers last', async () => {
    let sink: BodySink | undefined
    const made = answer('')
    made.body = transformBody(
      { length: undefined, consume: (to) => void (sink = to), pause() {}, resume() {}, discard() {} },
      (to) => to,
    )
    through({}, { 'accept-encoding': 'gzip' }, made)
    const first = new Promise<Uint8Array>((resolve) => {
      const data = (chunk: Uint8Array) => {
        resolve(Buffer.from(chunk))
        return true
      }
      made.body.consume({ data, end() {}, abort() {} })
    })
    sink!.data(Buffer.from('now'))
    expect((await first).length).toBeGreaterThan(10)
    const whole = answer('')
    whole.body = bodyOf(TEXT, createHeaderMap([['x', '1']]))
    const { trailers } = await readWhole(through({}, { 'accept-encoding': 'gzip' }, whole).body, 1e6)
    expect(trailers?.get('x')).toBe('1')
  })

  it.each([
    ['a short body', answer('short'), false],
    ['a body that is coded', answer(TEXT, { 'content-encoding': 'br' }), false],
    ['no-transform', answer(TEXT, { 'cache-control': 'max-age=1, no-transform' }), false],
    ['another type', answer(TEXT, { 'content-type': 'image/png' }), false],
    ['a type with parameters', answer(TEXT, { 'content-type': 'text/plain; charset=utf-8' }), true],
  ])('%s', (_name, made, coded) => {
    expect(through({}, { 'accept-encoding': 'gzip' }, made).headers.get('content-encoding') === 'gzip').toBe(coded)
    expect(made.headers.has('vary')).toBe(coded)
  })

  it('weak etags stay, strong ones go, or nothing is done', () => {
    const get = (etag: string, config: object = {}) =>
      through(config, { 'accept-encoding': 'gzip' }, answer(TEXT, { etag })).headers
    expect(get('W/"x"').get('etag')).toBe('W/"x"')
    expect(get('"x"').has('etag')).toBe(false)
    expect(get('"x"', { response_direction_config: { disable_on_etag_header: true } }).has('content-encoding')).toBe(false)
  })

  it('of several the one that the client prefers does it', () => {
    const asked = stream({ headers: { 'accept-encoding': 'gzip;q=0.5, br' } })
    const filters = ['gzip', 'brotli'].map((kind) =>
      configured(compressorFilter, {
        compressor_library: library(kind),
        response_direction_config: { remove_accept_encoding_header: kind === 'brotli' },
      })(asked),
    )
    for (const filter of filters) void filter.onRequest!(asked.request, asked)
    const made = answer(TEXT)
    for (const filter of filters.reverse()) void filter.onResponse!(made, asked)
    expect(made.headers.getAll('content-encoding')).toEqual(['br'])
    expect(asked.request.headers.has('accept-encoding')).toBe(false)
  })

  it('codes requests where it is asked to', async () => {
    const asked = stream({ method: 'POST', headers: { 'content-type': 'text/plain', 'content-length': '12000' } })
    asked.request.body = bodyOf(TEXT)
    const config = { compressor_library: library('gzip'), request_direction_config: {} }
    void configured(compressorFilter, config)(asked).onRequest!(asked.request, asked)
    expect(asked.request.headers.get('content-encoding')).toBe('gzip')
    expect(gunzipSync(await readBody(asked.request.body, 1e6)).toString()).toBe(TEXT)
  })
})

describe('decompressor', () => {
  const create = configured(decompressorFilter, { decompressor_library: decompressorLibrary('gzip') })

  it('takes the coding off requests, asks for it, and tells the bytes', async () => {
    const asked = stream({ method: 'POST', headers: { 'content-encoding': 'gzip', 'accept-encoding': 'gzip;q=0.1,br' } })
    asked.request.body = bodyOf(gzipSync(TEXT))
    void create(asked).onRequest!(asked.request, asked)
    expect(asked.request.headers.has('content-encoding')).toBe(false)
    expect(asked.request.headers.get('accept-encoding')).toBe('br,gzip')
    const { bytes, trailers } = await readWhole(asked.request.body, 1e6)
    expect(Buffer.from(bytes).toString()).toBe(TEXT)
    expect(trailers?.get('x-envoy-decompressor-gzip-uncompressed-bytes')).toBe(String(TEXT.length))
  })

  it('cuts off a body that is a bomb (CVE-2022-29225, CVE-2026-48044), and one that is no gzip', async () => {
    for (const body of [gzipSync(Buffer.alloc(20 * 1024 * 1024)), Buffer.from('no gzip at all')]) {
      const made = response({ 'content-encoding': 'gzip' })
      made.body = bodyOf(body)
      const asked = stream()
      const filter = create(asked)
      void filter.onRequest!(asked.request, asked)
      void filter.onResponse!(made, asked)
      let given = 0
      const ended = await new Promise((resolve) => {
        made.body.consume({
          data(chunk) {
            given += chunk.length
            return true
          },
          end: () => resolve('end'),
          abort: () => resolve('abort'),
        })
      })
      expect(ended).toBe('abort')
      expect(given).toBeLessThan(4 * 1024 * 1024)
    }
  })

  it('leaves no-transform alone', () => {
    const asked = stream()
    const made = response({ 'content-encoding': 'gzip', 'cache-control': 'no-transform' })
    made.body = bodyOf('x')
    void create(asked).onResponse!(made, asked)
    expect(made.headers.get('content-encoding')).toBe('gzip')
  })
})
