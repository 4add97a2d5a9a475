import { describe, expect, it } from 'vitest'
import { packedAny } from './any.js'
import { decodeDeltaResponse, decodeSotwResponse, encodeDeltaResponse, encodeSotwResponse } from './discovery.js'
import { Cluster } from './gen/envoy/config/cluster/v3.js'
import { DeltaDiscoveryResponse, DiscoveryResponse, Resource } from './gen/envoy/service/discovery/v3.js'
import { createTypeRegistry } from './registry.js'

const registry = createTypeRegistry([Cluster, Resource])
const resource = (name: string): { name: string; version: string; bytes: Uint8Array } => ({
  name,
  version: `v-${name}`,
  bytes: Cluster.encode({ name: name.repeat(80) }),
})
const typeUrl = Cluster.typeUrl

describe('a SotW response', () => {
  const response = { typeUrl, version: '7', nonce: 'n1', controlPlane: 'heddle', resources: [resource('a'), resource('b')] }

  it('is byte for byte what the generated codec writes', () => {
    const generic = DiscoveryResponse.encode({
      version_info: '7',
      resources: response.resources.map(({ bytes }) => packedAny(typeUrl, bytes)),
      type_url: typeUrl,
      nonce: 'n1',
      control_plane: { identifier: 'heddle' },
    })
    expect(encodeSotwResponse(response)).toEqual(generic)
  })

  it('is read with its resources left as bytes, out of a Resource too', () => {
    expect(decodeSotwResponse(encodeSotwResponse(response))).toEqual({
      ok: true,
      diagnostics: [],
      value: {
        typeUrl,
        version: '7',
        nonce: 'n1',
        controlPlane: 'heddle',
        resources: response.resources.map(({ bytes }) => bytes),
      },
    })
    const wrapped = DiscoveryResponse.encode(
      { resources: [{ '@type': Resource.typeUrl, name: 'a', resource: packedAny(typeUrl, resource('a').bytes), ttl: '5s' }] },
      registry,
    )
    expect(decodeSotwResponse(wrapped)).toMatchObject({ ok: true, value: { resources: [resource('a').bytes] } })
  })
})

it('tells errors, byte for byte as the generated codec does', () => {
  const error = { name: 'b', code: 5, message: 'no such service' }
  const resource_errors = [{ resource_name: { name: 'b' }, error_detail: { code: 5, message: 'no such service' } }]
  const sotw = { typeUrl, version: '7', nonce: 'n1', controlPlane: 'heddle', resources: [], errors: [error] }
  const rest = { type_url: typeUrl, nonce: 'n1', control_plane: { identifier: 'heddle' }, resource_errors }
  expect(encodeSotwResponse(sotw)).toEqual(DiscoveryResponse.encode({ version_info: '7', ...rest }))
  const delta = { typeUrl, systemVersion: '7', nonce: 'n1', controlPlane: 'heddle', resources: [], removed: [], errors: [error] }
  expect(encodeDeltaResponse(delta)).toEqual(DeltaDiscoveryResponse.encode({ system_version_info: '7', ...rest }))
})

describe('a Delta response', () => {
  const response = {
    typeUrl,
    systemVersion: '7',
    nonce: 'n1',
    controlPlane: 'heddle',
    resources: [resource('a'), { ...resource('b'), aliases: ['x', 'y'] }],
    removed: ['gone', 'too'],
  }

  it('is byte for byte what the generated codec writes', () => {
    const generic = DeltaDiscoveryResponse.encode({
      system_version_info: '7',
      resources: response.resources.map((one) => ({
        name: one.name,
        version: one.version,
        resource: packedAny(typeUrl, one.bytes),
        ...('aliases' in one ? { aliases: one.aliases } : {}),
      })),
      type_url: typeUrl,
      removed_resources: ['gone', 'too'],
      nonce: 'n1',
      control_plane: { identifier: 'heddle' },
    })
    expect(encodeDeltaResponse(response)).toEqual(generic)
  })

  it('carries a TTL, and heartbeats without a body, as the generated codec does', () => {
    const resources = [
      { ...resource('a'), ttl: 1.5 },
      { ...resource('b'), ttl: 60, heartbeat: true },
    ]
    const generic = DeltaDiscoveryResponse.encode({
      resources: [
        { name: 'a', version: 'v-a', resource: packedAny(typeUrl, resource('a').bytes), ttl: '1.5s' },
        { name: 'b', version: 'v-b', ttl: '60s' },
      ],
    })
    const empty = { typeUrl: '', systemVersion: '', nonce: '', controlPlane: '', removed: [] }
    const bytes = encodeDeltaResponse({ ...empty, resources: [] })
    expect(bytes).toHaveLength(0)
    expect(decodeDeltaResponse(encodeDeltaResponse({ ...response, resources }))).toMatchObject({
      value: {
        resources: [
          { name: 'a', ttl: 1.5, value: resource('a').bytes },
          { name: 'b', ttl: 60, value: undefined },
        ],
      },
    })
    expect(decodeDeltaResponse(generic)).toMatchObject({ value: { resources: [{ ttl: 1.5 }, { ttl: 60 }] } })
    const sotw = { typeUrl, version: '7', nonce: 'n1', controlPlane: '', resources: [], wrapped: resources }
    const wrapped = (one: object): object => ({ '@type': Resource.typeUrl, ...one })
    expect(encodeSotwResponse(sotw)).toEqual(
      DiscoveryResponse.encode(
        {
          version_info: '7',
          resources: [
            wrapped({ name: 'a', version: 'v-a', resource: packedAny(typeUrl, resource('a').bytes), ttl: '1.5s' }),
            wrapped({ name: 'b', version: 'v-b', ttl: '60s' }),
          ] as never,
          type_url: typeUrl,
          nonce: 'n1',
        },
        registry,
      ),
    )
  })

  it('is read resource by resource', () => {
    const read = decodeDeltaResponse(encodeDeltaResponse(response))
    expect(read).toMatchObject({
      ok: true,
      value: { typeUrl, systemVersion: '7', nonce: 'n1', controlPlane: 'heddle', removed: ['gone', 'too'] },
    })
    expect(read.ok && read.value.resources).toEqual([
      { name: 'a', version: 'v-a', value: resource('a').bytes, aliases: [], ttl: undefined },
      { name: 'b', version: 'v-b', value: resource('b').bytes, aliases: ['x', 'y'], ttl: undefined },
    ])
  })

  it('knows heartbeats, and names that stand in a ResourceName', () => {
    const bytes = DeltaDiscoveryResponse.encode({
      resources: [{ resource_name: { name: 'a' }, ttl: '1.500s' }],
      removed_resource_names: [{ name: 'gone' }],
    })
    expect(decodeDeltaResponse(bytes)).toMatchObject({
      ok: true,
      value: { resources: [{ name: 'a', value: undefined, ttl: 1.5 }], removed: ['gone'] },
    })
  })

  it('cut off anywhere is a failure or less, never an exception', () => {
    const whole = encodeDeltaResponse(response)
    for (let i = 0; i < whole.length; i++) expect(() => decodeDeltaResponse(whole.subarray(0, i))).not.toThrow()
    expect(decodeDeltaResponse(whole.subarray(0, whole.length - 1))).toMatchObject({
      ok: false,
      diagnostics: [{ code: 'xds.malformed' }],
    })
  })
})
