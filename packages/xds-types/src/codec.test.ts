import { describe, expect, it } from 'vitest'
import { EncodeError, MAX_BYTES } from './context.js'
import { Cluster } from './gen/envoy/config/cluster/v3.js'
import { Metadata, Node, TypedExtensionConfig } from './gen/envoy/config/core/v3.js'
import { Route, RouteAction } from './gen/envoy/config/route/v3.js'
import { Router } from './gen/envoy/extensions/filters/http/router/v3.js'
import { Secret } from './gen/envoy/extensions/transport_sockets/tls/v3.js'
import { Int64Range } from './gen/envoy/type/v3.js'
import { createTypeRegistry } from './registry.js'
import { UNKNOWN_FIELDS, unknownFieldsOf } from './unknown-fields.js'

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const registry = createTypeRegistry([Router, TypedExtensionConfig])
const errorOf = (run: () => unknown): EncodeError => {
  try {
    run()
  } catch (error) {
    if (error instanceof EncodeError) return error
  }
  throw new Error('no EncodeError')
}

describe('the wire', () => {
  it('holds what the specification says', () => {
    expect(Node.encode({ id: 'a', user_agent_version: 'b' })).toEqual(hex('0a0161 3a0162'))
    expect(Int64Range.encode({ start: '-1', end: 300 })).toEqual(hex('08ffffffffffffffffff01 10ac02'))
    expect(Cluster.encode({ connect_timeout: '1.5s', type: 'EDS' })).toEqual(hex('1003 2208 0801 1080cab5ee01'))
  })

  it('is the same for equal messages, in whatever order they were built', () => {
    const a = Cluster.encode({ name: 'x', type: 'EDS', metadata: { filter_metadata: { b: { y: 1, x: 2 }, a: {} } } })
    const b = Cluster.encode({ metadata: { filter_metadata: { a: {}, b: { x: 2, y: 1 } } }, type: 'EDS', name: 'x' })
    expect(a).toEqual(b)
  })

  it('leaves out defaults, but not those of a oneof or a wrapper', () => {
    expect(Cluster.encode({ name: '', type: 'STATIC', lb_policy: 'ROUND_ROBIN' })).toEqual(hex('1000'))
    expect(Cluster.encode({ ignore_health_on_host_removal: false, per_connection_buffer_limit_bytes: 0 })).toEqual(hex('2a00'))
  })

  it('takes lowerCamelCase and numbers of enums', () => {
    expect(Cluster.encode({ connectTimeout: '1s', type: 3 } as never)).toEqual(
      Cluster.encode({ connect_timeout: '1s', type: 'EDS' }),
    )
  })

  it('keeps fields it does not know, through a spread too', () => {
    // Field 15000, three times of different wire types, around a known one.
    const known = Node.encode({ id: 'a' })
    const unknown = hex('c0a907 05  c2a907 02 6869')
    const read = Node.decode(Uint8Array.from([...unknown, ...known]))
    if (!read.ok) throw new Error('decode')
    expect(unknownFieldsOf(read.value)).toEqual(unknown)
    expect(Node.encode({ ...read.value, cluster: 'c' })).toEqual(
      Uint8Array.from([...Node.encode({ id: 'a', cluster: 'c' }), ...unknown]),
    )
    expect(Node.toJson(read.value)).toEqual({ id: 'a' })
  })

  it('takes a known field of another wire type for an unknown one', () => {
    const read = Node.decode(hex('0805'))
    expect(read.ok && read.value).toEqual({ [UNKNOWN_FIELDS]: hex('0805') })
  })

  it('merges a message that comes twice, and keeps the last of a oneof', () => {
    const once = Cluster.encode({ eds_cluster_config: { service_name: 'a' } })
    const again = Cluster.encode({ eds_cluster_config: { eds_config: { ads: {} } } })
    expect(Cluster.decode(Uint8Array.from([...once, ...again]))).toMatchObject({
      value: { eds_cluster_config: { service_name: 'a', eds_config: { ads: {} } } },
    })
    const both = Uint8Array.from([...RouteAction.encode({ cluster: 'a' }), ...RouteAction.encode({ cluster_header: 'b' })])
    const read = RouteAction.decode(both)
    expect(read.ok && read.value).toEqual({ cluster_header: 'b' })
  })

  it('gives a number for an enum value it does not know, and takes it back', () => {
    const read = Cluster.decode(hex('1063'))
    expect(read.ok && read.value).toEqual({ type: 99 })
    expect(read.ok && Cluster.encode(read.value)).toEqual(hex('1063'))
  })
})

describe('broken bytes', () => {
  it.each([
    ['a length past the end', '0a05 61', 'id'],
    ['an endless varint', 'ffffffffffffffffffffff', ''],
    ['field number 0', '00', ''],
    ['an end without a group', '0c', ''],
    ['a string that is not UTF-8', '0a02 c328', 'id'],
    ['an overlong UTF-8 form', '0a02 c0af', 'id'],
    ['something cut off in the middle', '22 04 0a 05 7265', 'locality.region'],
  ])('%s is a failure with a path', (_, bytes, path) => {
    expect(Node.decode(hex(bytes))).toMatchObject({ ok: false, diagnostics: [{ code: 'xds.malformed', path }] })
  })

  it('nested too deep are refused, and so are groups', () => {
    let deep = hex('')
    for (let i = 0; i < 200; i++) deep = Uint8Array.from([0x0a, ...varint(deep.length), ...deep])
    const nested = TypedExtensionConfig.decode(Uint8Array.from([0x12, ...varint(deep.length), ...deep]), registry)
    expect(nested.ok).toBe(false)
    const read = Metadata.decode(structOfDepth(150))
    expect(read).toMatchObject({ ok: false, diagnostics: [{ message: expect.stringContaining('deeper than 100') }] })
    expect(
      Node.decode(
        Uint8Array.from(
          Array(300)
            .fill(0xa3)
            .flatMap((byte) => [byte, 0x06]),
        ),
      ),
    ).toMatchObject({ ok: false })
  })

  it('of more than 64 MiB are not even looked at', () => {
    expect(Node.decode({ length: MAX_BYTES + 1 } as Uint8Array)).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'xds.too_large' }],
    })
  })

  it('cannot reach a prototype', () => {
    const encoded = Metadata.encode({ filter_metadata: JSON.parse('{"__proto__":{"polluted":true},"constructor":{}}') })
    const read = Metadata.decode(encoded)
    if (!read.ok) throw new Error('decode')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(Object.keys(read.value.filter_metadata ?? {})).toEqual(['__proto__', 'constructor'])
    expect(Metadata.encode(read.value)).toEqual(encoded)
  })

  it('do not hold what an object inherits, known or not', () => {
    const node = Object.assign(Object.create({ cluster: 'inherited', nothing: 1 }) as object, { id: 'a' })
    expect(Node.encode(node)).toEqual(Node.encode({ id: 'a' }))
    expect(Node.encode(Object.create({ id: 'a' }) as object)).toHaveLength(0)
  })
})

describe('what is not a message', () => {
  it.each<[string, unknown, string, string]>([
    [
      'an unknown field',
      { load_assignment: { endpoints: [{ lb_endpoints: [{ endpoint: { adress: {} } }] }] } },
      'load_assignment.endpoints[0].lb_endpoints[0].endpoint',
      "no field 'adress'",
    ],
    ['a wrong type', { name: 5 }, 'name', 'expected string'],
    ['zero for a text', { name: 0 }, 'name', 'wrong type'],
    ['an empty text for a number', { dns_lookup_family: '' }, 'dns_lookup_family', 'not one of'],
    [
      'a list for a message',
      { eds_cluster_config: [] },
      'eds_cluster_config',
      'expected envoy.config.cluster.v3.Cluster.EdsClusterConfig',
    ],
    ['a wrong enum', { type: 'EDSS' }, 'type', 'not one of STATIC, STRICT_DNS'],
    ['a name of Object', { type: 'constructor' }, 'type', 'not one of'],
    ['a bad duration', { connect_timeout: '1 s' }, 'connect_timeout', "like '1.5s'"],
    ['a fraction', { per_connection_buffer_limit_bytes: 1.5 }, 'per_connection_buffer_limit_bytes', 'uint32'],
    ['a negative', { per_connection_buffer_limit_bytes: -1 }, 'per_connection_buffer_limit_bytes', 'uint32'],
    ['both spellings', { connect_timeout: '1s', connectTimeout: '2s' }, '', 'given twice'],
    ['two of a oneof', { round_robin_lb_config: {}, maglev_lb_config: {} }, '', 'only one of'],
    [
      'an Any of a type that is not there',
      { transport_socket: { typed_config: { '@type': 'x/y.Z' } } },
      'transport_socket.typed_config',
      'no type y.Z',
    ],
  ])('is refused with its path: %s', (_, value, path, message) => {
    const error = errorOf(() => Cluster.encode(value as Cluster))
    expect(error.path).toBe(path)
    expect(error.message).toContain(message)
  })

  it('leaves the encoder usable', () => {
    errorOf(() => Cluster.encode({ name: 'x'.repeat(5000), type: 'NO' } as never))
    expect(Node.encode({ id: 'a' })).toEqual(hex('0a0161'))
  })

  it('and one that contains itself is refused, not followed', () => {
    const config: Record<string, unknown> = { name: 'loop', '@type': TypedExtensionConfig.typeUrl }
    config['typed_config'] = config
    expect(errorOf(() => TypedExtensionConfig.encode(config, registry)).message).toContain('deeper than 100')
    expect(TypedExtensionConfig.fromJson(config, registry).ok).toBe(false)
  })
})

describe('a few lines that stand for billions', () => {
  // What YAML aliases make: each level holds the one below nine times.
  const bomb = (): Record<string, unknown> => {
    let value: unknown = 'x'
    for (let i = 0; i < 12; i++) value = Array(9).fill(value)
    return { filter_metadata: { a: { value } } }
  }

  it('are refused when read, soon and once', () => {
    const read = Metadata.fromJson(bomb())
    expect(read.diagnostics.map(({ code }) => code)).toEqual(['xds.too_large'])
  })

  it('are refused when written', () => {
    expect(errorOf(() => Metadata.encode(bomb())).message).toContain('larger than')
  })
})

describe('JSON', () => {
  it('comes in either spelling and leaves in one', () => {
    const read = Route.fromJson({
      match: { prefix: '/', caseSensitive: false, runtimeFraction: { defaultValue: { numerator: '5', denominator: 1 } } },
      route: { cluster: 'a', timeout: '1.50s', hashPolicy: [{ cookie: { name: 'c', ttl: '0s' } }] },
      metadata: null,
    })
    expect(read.ok && read.value).toEqual({
      match: {
        prefix: '/',
        case_sensitive: false,
        runtime_fraction: { default_value: { numerator: 5, denominator: 'TEN_THOUSAND' } },
      },
      route: { cluster: 'a', timeout: '1.500s', hash_policy: [{ cookie: { name: 'c', ttl: '0s' } }] },
    })
  })

  it('tells everything that is wrong at once', () => {
    const read = Route.fromJson({
      match: { prefx: '/' },
      route: { cluster: 'a', clusterHeader: 'b', timeout: 5, retry_policy: { num_retries: 'x' } },
      metadata: { filter_metadata: [] },
    })
    expect(read.ok).toBe(false)
    expect(read.diagnostics.map(({ code, path }) => [code, path])).toEqual([
      ['xds.unknown_field', 'match.prefx'],
      ['xds.oneof', 'route.clusterHeader'],
      ['xds.wrong_type', 'route.timeout'],
      ['xds.wrong_type', 'route.retry_policy.num_retries'],
      ['xds.wrong_type', 'metadata.filter_metadata'],
    ])
  })

  it('names what was probably meant', () => {
    const read = Cluster.fromJson({ connectTimeOut: '1s' })
    expect(read.diagnostics[0]?.message).toContain("did you mean 'connect_timeout'?")
  })

  it('hides what is sensitive when asked to', () => {
    const secret: Secret = {
      name: 'default',
      tls_certificate: { certificate_chain: { inline_string: 'chain' }, private_key: { inline_string: 'key' } },
    }
    expect(Secret.toJson(secret, { redact: true })).toEqual({
      name: 'default',
      tls_certificate: { certificate_chain: { inline_string: 'chain' }, private_key: '[redacted]' },
    })
    expect(JSON.stringify(Secret.toJson(secret))).toContain('"key"')
  })
})

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

/** `filter_metadata` with a struct inside a struct inside … */
function structOfDepth(depth: number): Uint8Array {
  let value: number[] = [0x08, 0]
  for (let i = 0; i < depth; i++) {
    const entry = [0x0a, 1, 0x61, 0x12, ...varint(value.length), ...value]
    const struct = [0x0a, ...varint(entry.length), ...entry]
    value = [0x2a, ...varint(struct.length), ...struct]
  }
  const struct = value.slice(1 + varint(value.length).length)
  const entry = [0x0a, 1, 0x61, 0x12, ...varint(struct.length), ...struct]
  return Uint8Array.from([0x0a, ...varint(entry.length), ...entry])
}
