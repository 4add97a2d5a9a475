import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import protobuf from 'protobufjs'

const require = createRequire(import.meta.url)
const SHIPPED = join(dirname(require.resolve('@grpc/grpc-js-xds/package.json')), 'deps')
/** Where the .proto files are. */
export const ROOTS: readonly string[] = [
  ...['envoy-api', 'xds', 'protoc-gen-validate', 'googleapis'].map((name) => join(SHIPPED, name)),
  dirname(require.resolve('protobufjs/package.json')),
]

/** What the clusters of the benches and their discovery need of Envoy's API. */
export const FILES: readonly string[] = [
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
  'envoy/service/discovery/v3/discovery.proto',
]

export const CLUSTER = 'envoy.config.cluster.v3.Cluster'
export const CLUSTER_URL: string = `type.googleapis.com/${CLUSTER}`

export function resolveIn(roots: readonly string[], target: string): string | null {
  return [target, ...roots.map((folder) => join(folder, target))].find((file) => existsSync(file)) ?? null
}

/** Envoy's API by protobufjs reflection, field names as written. */
export function loadEnvoyApi(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) => resolveIn(ROOTS, target)
  root.loadSync([...FILES], { keepCase: true })
  root.resolveAll()
  return root
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

/**
 * Canonical proto JSON in the shape that protobufjs' `fromObject` takes: durations as seconds and nanos, wrappers and structs spelled
 * out. An Any keeps its `@type`: fromObject packs it.
 */
export function forReflection(root: protobuf.Root, type: protobuf.Type, json: unknown): object {
  const value = json as { [name: string]: Json }
  const own = type.fullName === '.google.protobuf.Any' ? root.lookupType(String(value['@type']).replace(/^.*\//, '')) : type
  const fields = Object.entries(value).map(([name, item]): [string, unknown] => {
    const field = own.fields[name]
    if (field === undefined) return [name, item]
    field.resolve()
    return [name, fieldForReflection(root, field, item)]
  })
  return Object.fromEntries(fields)
}

function fieldForReflection(root: protobuf.Root, field: protobuf.Field, value: Json): unknown {
  const type = field.resolvedType
  if (!(type instanceof protobuf.Type)) return value
  if (field.map)
    return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, messageForReflection(root, type, item)]))
  if (field.repeated) return (value as readonly Json[]).map((item) => messageForReflection(root, type, item))
  return messageForReflection(root, type, value)
}

const WELL_KNOWN: Readonly<Record<string, (value: Json) => object>> = {
  '.google.protobuf.Duration': (value) => {
    const seconds = Number(String(value).slice(0, -1))
    return { seconds: Math.trunc(seconds), nanos: Math.round((seconds % 1) * 1e9) }
  },
  '.google.protobuf.Struct': struct,
}

function messageForReflection(root: protobuf.Root, type: protobuf.Type, value: Json): object {
  const wellKnown = WELL_KNOWN[type.fullName]
  if (wellKnown !== undefined) return wellKnown(value)
  if (/^\.google\.protobuf\.\w+Value$/.test(type.fullName) && typeof value !== 'object') return { value }
  return forReflection(root, type, value)
}

function struct(value: Json): object {
  return { fields: Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, structValue(item)])) }
}

function structValue(value: Json): object {
  if (value === null) return { nullValue: 0 }
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'number') return { numberValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  if (Array.isArray(value)) return { listValue: { values: value.map(structValue) } }
  return { structValue: struct(value) }
}
