import { create, createFileRegistry, fromBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { AggregatedDiscoveryService } from '@heddle/xds-types/envoy/service/discovery/v3'
import { ClientStatusDiscoveryService } from '@heddle/xds-types/envoy/service/status/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { expect, test } from 'vitest'
import { describeApi } from './api-descriptors.js'
import type { ProtoFile } from './file-descriptors.js'

const api = describeApi(knownTypes.types, [AggregatedDiscoveryService, ClientStatusDiscoveryService])

/** What is needed to understand a file, dependencies first. Fails where files import one another in circles. */
function withImports(file: ProtoFile, into: Map<string, ProtoFile>, above: readonly string[] = []): void {
  if (above.includes(file.name)) throw new Error(`a circle: ${[...above, file.name].join(' -> ')}`)
  if (into.has(file.name)) return
  for (const name of file.dependencies) withImports(api.file(name) as ProtoFile, into, [...above, file.name])
  into.set(file.name, file)
}

const everything = new Map<string, ProtoFile>()
for (const { typeName } of knownTypes.types) withImports(api.fileOf(typeName) as ProtoFile, everything)
const files = [...everything.values()].map(({ bytes }) => fromBinary(FileDescriptorProtoSchema, bytes))
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files }))

test('another protobuf library takes the descriptors of the whole API', () => {
  expect([...knownTypes.types].filter(({ typeName }) => registry.get(typeName) === undefined)).toEqual([])
  const fieldsOf = (typeName: string) =>
    registry.getMessage(typeName)?.fields.map((field) => {
      const { name, number, fieldKind, message, oneof } = field
      return [name, number, fieldKind, message?.typeName, oneof?.name].filter((part) => part !== undefined).join(' ')
    })
  expect(fieldsOf('envoy.config.listener.v3.Listener')).toEqual(
    expect.arrayContaining([
      'name 1 scalar',
      'filter_chains 3 list envoy.config.listener.v3.FilterChain',
      'drain_type 8 enum',
      'internal_listener 27 message envoy.config.listener.v3.Listener.InternalListenerConfig listener_specifier',
    ]),
  )
  expect(fieldsOf('envoy.config.core.v3.Metadata')).toContain('filter_metadata 1 map google.protobuf.Struct')
})

test('services with their methods', () => {
  expect(api.services).toEqual([
    'envoy.service.discovery.v3.AggregatedDiscoveryService',
    'envoy.service.status.v3.ClientStatusDiscoveryService',
  ])
  const methods = registry.getService('envoy.service.discovery.v3.AggregatedDiscoveryService')
  const { file } = registry.getMessage('envoy.service.discovery.v3.DiscoveryRequest') ?? {}
  expect(methods ?? file?.services[0]).toMatchObject({
    methods: [
      { name: 'StreamAggregatedResources', methodKind: 'bidi_streaming' },
      { name: 'DeltaAggregatedResources', methodKind: 'bidi_streaming' },
    ],
  })
  expect(api.fileOf('envoy.service.status.v3.ClientStatusDiscoveryService.FetchClientStatus')?.name).toBe(
    'envoy/service/status/v3.proto',
  )
  expect(api.fileOf('no.such.Type')).toBeUndefined()
})
