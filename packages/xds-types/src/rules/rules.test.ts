import { describe, expect, it } from 'vitest'
import { any } from '../any.js'
import { Cluster } from '../gen/envoy/config/cluster/v3.js'
import { TypedExtensionConfig } from '../gen/envoy/config/core/v3.js'
import { Listener } from '../gen/envoy/config/listener/v3.js'
import { Route, RouteConfiguration } from '../gen/envoy/config/route/v3.js'
import { HttpConnectionManager } from '../gen/envoy/extensions/filters/network/http_connection_manager/v3.js'
import { createTypeRegistry } from '../registry.js'
import { checkBool, checkBytes, checkCount, checkDuration, checkEnum, checkNumber, checkString } from './check-value.js'

const checkColour = (number: number, rules: Readonly<Record<string, unknown>>): string | undefined =>
  checkEnum(number, (at) => ['GREY', 'RED'][at], rules)

describe('each rule has a value that keeps it and one that does not', () => {
  it.each<
    [
      string,
      (value: never, rules: Readonly<Record<string, unknown>>) => string | undefined,
      Record<string, unknown>,
      unknown,
      unknown,
    ]
  >([
    ['string.min_len counts characters', checkString, { min_len: 2 }, '😀é', '😀'],
    ['string.max_len', checkString, { max_len: 1 }, '😀', 'ab'],
    ['string.max_bytes', checkString, { max_bytes: 4 }, '😀', 'é'.repeat(3)],
    ['string.len', checkString, { len: 2 }, 'ab', 'a'],
    ['string.in', checkString, { in: ['http', 'https'] }, 'http', 'ftp'],
    ['string.not_in', checkString, { not_in: ['x'] }, 'y', 'x'],
    ['string.const', checkString, { const: 'x' }, 'x', 'y'],
    ['string.prefix', checkString, { prefix: '%' }, '%a', 'a'],
    ['string.suffix', checkString, { suffix: '%' }, 'a%', 'a'],
    ['string.pattern', checkString, { pattern: '^[^?#]+[^?#/]$' }, '/a', '/a/'],
    ['string.ignore_empty', checkString, { min_len: 2, ignore_empty: true }, '', 'a'],
    ['string.well_known_regex of a name', checkString, { well_known_regex: 'HTTP_HEADER_NAME' }, ':path', 'a b'],
    [
      'string.well_known_regex of a name, lenient',
      checkString,
      { well_known_regex: 'HTTP_HEADER_NAME', strict: false },
      'a b',
      'a\nb',
    ],
    ['string.well_known_regex of a value', checkString, { well_known_regex: 'HTTP_HEADER_VALUE' }, 'a\tb', 'a\u0001b'],
    [
      'string.well_known_regex of a value, lenient',
      checkString,
      { well_known_regex: 'HTTP_HEADER_VALUE', strict: false },
      'a\u0001b',
      'a\rb',
    ],
    ['bytes.min_len', checkBytes, { min_len: 1 }, 'AA==', ''],
    ['bytes.max_len', checkBytes, { max_len: 1 }, Uint8Array.of(1), 'AAA='],
    ['bool.const', checkBool, { const: true }, true, false],
    ['number.gt', checkNumber, { gt: 0 }, 1, 0],
    ['number.gte', checkNumber, { gte: 1 }, 1, 0],
    ['number.lt', checkNumber, { lt: 2 }, 1, 2],
    ['number.lte of 64 bits', checkNumber, { lte: 5000011 }, '5000011', '5000012'],
    ['number.ignore_empty', checkNumber, { gte: 100, ignore_empty: true }, 0, 99],
    ['a range turned round means outside', checkNumber, { gte: 10, lte: 0 }, 10, 5],
    ['enum.defined_only', checkColour, { defined_only: true }, 1, 2],
    ['enum.not_in', checkColour, { not_in: [0] }, 1, 0],
    ['duration.gt', checkDuration, { gt: {} }, '0.000000001s', '0s'],
    ['duration.gte', checkDuration, { gte: { nanos: 1_000_000 } }, '0.001s', '0.000999999s'],
    ['duration.lt', checkDuration, { lt: { seconds: 300 } }, '299.999s', '300s'],
    ['duration.lte', checkDuration, { lte: { seconds: 600 } }, '600s', '600.001s'],
    ['repeated.min_items', checkCount, { min_items: 1 }, 1, 0],
    ['repeated.max_items', checkCount, { max_items: 1 }, 1, 2],
    ['map.min_pairs', checkCount, { min_pairs: 1 }, 1, 0],
  ])('%s', (_, check, rules, good, bad) => {
    expect(check(good as never, rules)).toBeUndefined()
    expect(check(bad as never, rules)).toEqual(expect.any(String))
  })
})

describe('a message', () => {
  const found = (diagnostics: readonly { path: string; message: string }[]): [string, string][] =>
    diagnostics.map(({ path, message }) => [path, message])

  it('is told all that is wrong, by its full path', () => {
    const cluster: Cluster = {
      connect_timeout: '0s',
      circuit_breakers: { thresholds: [{ retry_budget: { budget_percent: { value: 120 } } }] },
      health_checks: [{ timeout: '1s', interval: '1s', http_health_check: { path: '/' } }],
      max_requests_per_connection: 0,
    }
    expect(found(Cluster.validate(cluster))).toEqual([
      ['name', 'value length must be at least 1 characters'],
      ['connect_timeout', 'value must be greater than 0s'],
      ['health_checks[0].unhealthy_threshold', 'value is required'],
      ['health_checks[0].healthy_threshold', 'value is required'],
      ['circuit_breakers.thresholds[0].retry_budget.budget_percent.value', 'value must be inside range [0, 100]'],
    ])
  })

  it('needs one of a required oneof, and no rule of an unset one', () => {
    expect(found(Route.validate({}))).toEqual([
      ['action', expect.stringContaining('is required')],
      ['match', 'value is required'],
    ])
    const routes: RouteConfiguration = {
      virtual_hosts: [{ name: 'a', domains: [], routes: [{ match: { prefix: '/' }, route: { cluster: '' } }] }],
    }
    expect(found(RouteConfiguration.validate(routes))).toEqual([
      ['virtual_hosts[0].domains', 'value must contain at least 1 item(s)'],
      ['virtual_hosts[0].routes[0].route.cluster', 'value length must be at least 1 characters'],
    ])
  })

  it('is looked at inside Any too, packed or not', () => {
    const registry = createTypeRegistry([HttpConnectionManager])
    const manager: HttpConnectionManager = { rds: { route_config_name: 'a', config_source: { ads: {} } } }
    const packed = { type_url: HttpConnectionManager.typeUrl, value: HttpConnectionManager.encode(manager) }
    for (const config of [any(HttpConnectionManager, manager), packed]) {
      const listener: Listener = { filter_chains: [{ filters: [{ name: 'x', typed_config: config }] }] }
      expect(found(Listener.validate(listener, registry))).toEqual([
        ['filter_chains[0].filters[0].typed_config.stat_prefix', 'value length must be at least 1 characters'],
      ])
      expect(Listener.validate(listener)).toEqual([])
    }
    expect(found(TypedExtensionConfig.validate({ name: 'x' }))).toEqual([['typed_config', 'value is required']])
  })

  it('with an enum number that nobody defined breaks defined_only', () => {
    expect(found(Cluster.validate({ name: 'a', type: 99 as never }))).toEqual([
      ['type', 'value must be one of the defined enum values'],
    ])
  })
})
