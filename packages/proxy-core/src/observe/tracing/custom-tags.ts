import type { AccessLogEntry } from '../access-log.js'
import type { LogFormatter } from '../log-format.js'

/** envoy.type.tracing.v3.CustomTag, compiled: undefined leaves the tag out. */
export interface CustomTag {
  readonly tag: string
  read(entry: AccessLogEntry): string | undefined
}

export const literalTag = (tag: string, value: string): CustomTag => ({ tag, read: () => value })

/** A format that came to nothing leaves its tag out. */
export const formatTag = (tag: string, format: LogFormatter): CustomTag => ({ tag, read: (entry) => format(entry) || undefined })

export const headerTag = (tag: string, header: string, fallback: string): CustomTag => ({
  tag,
  read: ({ requestHeaders }) => requestHeaders?.get(header) ?? (fallback || undefined),
})

export type MetadataOf = 'request' | 'route' | 'cluster' | 'host'

export function metadataTag(tag: string, of: MetadataOf, [namespace, ...path]: readonly string[], fallback: string): CustomTag {
  return {
    tag,
    read(entry) {
      const value = path.reduce<unknown>(inside, metadataOf(entry, of, namespace ?? ''))
      return value === undefined || value === null ? fallback || undefined : asText(value)
    },
  }
}

function metadataOf({ info }: AccessLogEntry, of: MetadataOf, namespace: string): unknown {
  if (of === 'request') return info.metadata.get(namespace)
  if (of === 'route') return info.routeMetadata?.[namespace]
  return of === 'cluster' ? info.clusterMetadata?.[namespace] : info.endpoint?.metadata[namespace]
}

const inside = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined

const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
