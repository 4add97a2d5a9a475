import type { AccessLog, AccessLogFilter } from '@heddle/xds-types/envoy/config/accesslog/v3'
import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../http/header-map.js'
import type { StreamInfo } from '../http/stream-info.js'
import { createRuntime, type Runtime } from '../runtime.js'
import type { AccessLogEntry } from './access-log.js'
import { compileAccessLog } from './compile-access-log.js'

const FILE = 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog'
const STDOUT = 'type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog'

const entry = (change: Partial<StreamInfo>): AccessLogEntry => ({
  requestHeaders: createHeaderMap([['x-debug', '1']]),
  type: 'DownstreamEnd',
  info: {
    ...{
      startTime: 0,
      start: 0,
      end: 5,
      method: 'GET',
      authority: '',
      path: '/',
      protocol: 'HTTP/1.1',
      status: 200,
      details: '',
    },
    ...{ flags: new Set<string>(), bytesReceived: 0, bytesSent: 0, attempts: 1, downstreamRemote: '', downstreamLocal: '' },
    ...{ metadata: new Map(), filterState: new Map() },
    ...change,
  },
})

function compile(log: AccessLog, random = 0.5, runtime?: Runtime) {
  const lines: string[] = []
  const paths: string[] = []
  const compiled = compileAccessLog(log, 'access_log[0]', {
    sinks: (path) => {
      if (path === '/no/such/folder') throw new Error('ENOENT')
      paths.push(path)
      return { write: (line) => lines.push(line) }
    },
    random: { next: () => random },
    runtime,
  })
  return { compiled, lines, paths }
}

const withFilter = (filter: AccessLogFilter): AccessLog => ({
  filter,
  typed_config: { '@type': STDOUT, log_format: { text_format_source: { inline_string: '%RESPONSE_CODE%\n' } } },
})

describe('loggers', () => {
  it.each([
    ['text', { path: '/tmp/a.log', log_format: { text_format_source: { inline_string: 'x %RESPONSE_CODE%\n' } } }, 'x 200\n'],
    ['older text', { path: '/tmp/a.log', log_format: { text_format: '%PROTOCOL%' } }, 'HTTP/1.1'],
    ['oldest text', { path: '/tmp/a.log', format: 'y' }, 'y'],
    ['JSON', { path: '/tmp/a.log', log_format: { json_format: { code: '%RESPONSE_CODE%' } } }, '{"code":200}\n'],
  ])('a file with %s', (_, config, want) => {
    const { compiled, lines, paths } = compile({ name: 'envoy.access_loggers.file', typed_config: { '@type': FILE, ...config } })
    if (!compiled.ok) throw new Error('not compiled')
    compiled.value.log(entry({}))
    expect(lines).toEqual([want])
    expect(paths).toEqual(['/tmp/a.log'])
  })

  it('stdout', () => {
    expect(compile({ typed_config: { '@type': STDOUT } }).paths).toEqual(['/dev/stdout'])
  })

  it.each([
    [
      'another logger',
      { typed_config: { '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig' } },
      'log.unsupported',
      'access_log[0].typed_config',
    ],
    ['no path', { typed_config: { '@type': FILE } }, 'log.path', 'access_log[0].typed_config.path'],
    [
      'what cannot be written to',
      { typed_config: { '@type': FILE, path: '/no/such/folder' } },
      'log.path',
      'access_log[0].typed_config.path',
    ],
    [
      'a filter of an extension',
      withFilter({ extension_filter: {} }),
      'log.filter',
      'access_log[0].filter.extension_filter.typed_config',
    ],
  ])('refuses %s', (_, log: AccessLog, code, path) => {
    expect(compile(log).compiled.diagnostics[0]).toMatchObject({ code, path })
  })
})

const OF_A = { metadata: new Map([['ns', { k: 'a' }]]) }
const IS_A = { filter: 'ns', path: [{ key: 'k' }], value: { string_match: { exact: 'a' } } }

describe('filters', () => {
  it('of a TCP connection find no header', () => {
    const logs = (header: object): number => {
      const { compiled, lines } = compile(withFilter({ header_filter: { header: { name: 'x-debug', ...header } } }))
      if (!compiled.ok) throw new Error('not compiled')
      compiled.value.log({ info: entry({ method: '', protocol: '' }).info })
      return lines.length
    }
    expect([logs({ present_match: true }), logs({ present_match: true, invert_match: true })]).toEqual([0, 1])
  })

  it.each<[string, AccessLogFilter, boolean]>([
    ['a status', { status_code_filter: { comparison: { op: 'EQ', value: { default_value: 404, runtime_key: 'code' } } } }, true],
    ['a duration', { duration_filter: { comparison: { op: 'GE', value: { default_value: 0, runtime_key: 'ms' } } } }, false],
    ['a share', { runtime_filter: { runtime_key: 'all' } }, true],
    ['a share of none', { runtime_filter: { runtime_key: 'none', percent_sampled: { numerator: 100 } } }, false],
    ['a key that is not set', { runtime_filter: { runtime_key: 'unset', percent_sampled: { numerator: 100 } } }, true],
  ])('go by %s of the runtime', (_, filter, logged) => {
    const runtime = createRuntime([{ name: 'fixed', values: { code: 200, ms: 100, all: 100, none: 0 } }])
    const { compiled, lines } = compile(withFilter(filter), 0.5, runtime)
    if (!compiled.ok) throw new Error('not compiled')
    compiled.value.log(entry({}))
    expect(lines.length).toBe(logged ? 1 : 0)
  })

  const atLeast = (value: number): AccessLogFilter => ({
    status_code_filter: { comparison: { op: 'GE', value: { default_value: value, runtime_key: 'x' } } },
  })
  it.each<[string, AccessLogFilter, Partial<StreamInfo>, boolean]>([
    ['status at least 400', atLeast(400), { status: 503 }, true],
    ['status at least 400', atLeast(400), { status: 200 }, false],
    [
      'duration at most 4',
      { duration_filter: { comparison: { op: 'LE', value: { default_value: 4, runtime_key: 'x' } } } },
      { end: 5 },
      false,
    ],
    ['any flag', { response_flag_filter: {} }, { flags: new Set(['UF']) }, true],
    ['any flag', { response_flag_filter: {} }, {}, false],
    ['a header', { header_filter: { header: { name: 'x-debug', present_match: true } } }, {}, true],
    ['another header', { header_filter: { header: { name: ':method', string_match: { exact: 'PUT' } } } }, {}, false],
    ['these flags', { response_flag_filter: { flags: ['NR'] } }, { flags: new Set(['UF']) }, false],
    ['gRPC OK', { grpc_status_filter: { statuses: ['OK'] } }, { grpcStatus: '0' }, true],
    ['not gRPC OK', { grpc_status_filter: { statuses: ['OK'], exclude: true } }, { grpcStatus: '7' }, true],
    ['sampled 60 of 100', { runtime_filter: { runtime_key: 'x', percent_sampled: { numerator: 60 } } }, {}, true],
    ['sampled 40 of 100', { runtime_filter: { runtime_key: 'x', percent_sampled: { numerator: 40 } } }, {}, false],
    ['this kind of line', { log_type_filter: { types: ['DownstreamEnd'] } }, {}, true],
    ['no line of this kind', { log_type_filter: { types: ['DownstreamEnd'], exclude: true } }, {}, false],
    ['this metadata', { metadata_filter: { matcher: IS_A } }, { metadata: new Map([['ns', { k: 'a' }]]) }, true],
    ['other metadata', { metadata_filter: { matcher: IS_A } }, { metadata: new Map([['ns', { k: 'b' }]]) }, false],
    ['no metadata', { metadata_filter: { matcher: IS_A } }, {}, true],
    ['no metadata, which counts', { metadata_filter: { matcher: IS_A, match_if_key_not_found: false } }, {}, false],
    ['inverted metadata, which Envoy does not invert', { metadata_filter: { matcher: { ...IS_A, invert: true } } }, OF_A, true],
    ['both', { and_filter: { filters: [atLeast(400), { response_flag_filter: {} }] } }, { status: 503 }, false],
    ['either', { or_filter: { filters: [atLeast(400), { response_flag_filter: {} }] } }, { status: 503 }, true],
  ])('%s', (_, filter, change, logged) => {
    const { compiled, lines } = compile(withFilter(filter))
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message)
    compiled.value.log(entry(change))
    expect(lines).toHaveLength(logged ? 1 : 0)
  })
})
