import type { VersionedResource } from '@heddle/xds-types'
import { knownTypes } from '@heddle/xds-types/known'
import { metricType } from '../protocol/push-order.js'
import type { StreamStatus } from '../status.js'

/** What one stream's client has been sent, as JSON. */
export interface NodeConfigDump {
  readonly node_id: string
  readonly stream_id: string
  /** By `cds`, `eds`, `lds`, `rds`, ...; resources as canonical proto JSON, by name. Private keys and the like are `[redacted]`. */
  readonly types: Readonly<Record<string, readonly DumpedResource[]>>
}

export interface DumpedResource {
  readonly name: string
  readonly version: string
  /** Absent for a type that @heddle/xds-types does not know: what cannot be read cannot be redacted. */
  readonly resource?: unknown
}

interface Dumpable {
  status(): Iterable<StreamStatus>
  sent(streamId: string): ReadonlyMap<string, readonly VersionedResource[]>
}

/** One dump for each of the node's streams; none when it is not connected. */
export function configDump(server: Dumpable, nodeId: string): NodeConfigDump[] {
  return [...server.status()]
    .filter((stream) => stream.nodeId === nodeId)
    .map(({ streamId }) => ({
      node_id: nodeId,
      stream_id: streamId,
      types: Object.fromEntries(
        [...server.sent(streamId)].map(([typeUrl, resources]) => [
          metricType(typeUrl),
          resources.map((resource) => dump(typeUrl, resource)).sort((a, b) => (a.name < b.name ? -1 : 1)),
        ]),
      ),
    }))
}

function dump(typeUrl: string, { name, version, bytes }: VersionedResource): DumpedResource {
  const type = knownTypes.find(typeUrl)
  const decoded = type?.decode(bytes, knownTypes)
  if (type === undefined || decoded?.ok !== true) return { name, version }
  return { name, version, resource: type.toJson(decoded.value, { registry: knownTypes, redact: true }) }
}
