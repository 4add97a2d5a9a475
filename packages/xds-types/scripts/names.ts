import path from 'node:path'
import protobuf from 'protobufjs'

const DOCS = 'https://www.envoyproxy.io/docs/envoy/latest'

type Named = protobuf.Type | protobuf.Enum | protobuf.Service

/** `envoy.config.cluster.v3` of a type however deep it is nested. */
export function packageOf(type: Named): string {
  let parent: protobuf.ReflectionObject | null = type.parent
  while (parent instanceof protobuf.Type) parent = parent.parent
  return parent?.fullName.slice(1) ?? ''
}

/** `Cluster_DiscoveryType`: the name inside its package's module. */
export function localName(type: Named): string {
  const names: string[] = []
  for (
    let at: protobuf.ReflectionObject | null = type;
    at instanceof protobuf.Type || at instanceof protobuf.Enum || at instanceof protobuf.Service;
    at = at.parent
  )
    names.unshift(at.name)
  return names.join('_')
}

/** `envoy/config/cluster/v3`. SPIFFE's service has no package at all and gets a folder of its own. */
export function modulePath(packageName: string): string {
  return packageName === '' ? 'spiffe/workload' : packageName.replaceAll('.', '/')
}

/** A relative import from one module to another, both paths from src/gen without extension. */
export function importPath(from: string, to: string): string {
  const relative = path.posix.relative(path.posix.dirname(from), to)
  return `${relative.startsWith('.') ? relative : `./${relative}`}.js`
}

/** Envoy's page of a message, enum or field; undefined for what is on none. */
export function docsLink(object: protobuf.ReflectionObject, kind: 'msg' | 'enum' | 'field'): string | undefined {
  const name = object.fullName.slice(1)
  const file = (object.filename ?? object.parent?.filename ?? '').replaceAll('\\', '/')
  const [, envoy, xds] = /(?:envoy-api\/envoy\/(.*\.proto)|((?<=envoy-api\/|deps\/xds\/)xds\/.*\.proto))$/.exec(file) ?? []
  const anchor = name
    .replace(/^envoy\./, '')
    .toLowerCase()
    .replace(/[._]/g, '-')
  if (envoy !== undefined && name.startsWith('envoy.')) return `${DOCS}/api-v3/${envoy}#envoy-v3-api-${kind}-${anchor}`
  return xds === undefined ? undefined : `${DOCS}/${xds}#envoy-v3-api-${kind}-${anchor}`
}
