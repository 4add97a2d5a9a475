import { configDump, type DumpedResource, type StreamStatus, type XdsServer } from '@heddle/xds-server'

interface ConnectedClient {
  readonly connectionId: string
  /** RFC 3339. */
  readonly connectedAt: string
  readonly address: string
}

interface ConnectedClients<C> {
  readonly totalClients: number
  readonly clients: readonly C[]
}

function clientOf({ streamId, nodeId, peer, connectedAt }: StreamStatus): ConnectedClient {
  const connectionId = nodeId === undefined ? streamId : `${nodeId}-${streamId}`
  return { connectionId, connectedAt: new Date(connectedAt).toISOString(), address: peer }
}

/** Who is connected. */
export function connections(xds: XdsServer): ConnectedClients<ConnectedClient> {
  const clients = [...xds.status()].map(clientOf)
  return { totalClients: clients.length, clients }
}

/** Who is connected, what they say of themselves, and how many names of each type they follow; -1: all. */
export function adsz(xds: XdsServer): ConnectedClients<ConnectedClient & { readonly watches: Readonly<Record<string, number>> }> {
  const clients = [...xds.status()].map((stream) => ({
    ...clientOf(stream),
    metadata: stream.node?.metadata ?? {},
    watches: Object.fromEntries(
      [...stream.types.values()].map(({ typeUrl, wildcard, names }) => [typeUrl, wildcard ? -1 : names]),
    ),
  }))
  return { totalClients: clients.length, clients }
}

/** The node id of a proxy that may be called `pod.namespace` too, as istiod's pages take it. Undefined: it is not connected. */
export function nodeIdOf(xds: XdsServer, wanted: string): string | undefined {
  const ids = [...xds.status()].flatMap(({ nodeId }) => nodeId ?? [])
  return ids.find((id) => id === wanted) ?? (wanted === '' ? undefined : ids.find((id) => id.split('~')[2] === wanted))
}

/** What a node was sent of one type: `eds`, or the message's name where Istio's metrics have none. Undefined: it is not connected. */
export function sentOf(xds: XdsServer, nodeId: string, type: string): readonly unknown[] | undefined {
  return configDump(xds, nodeId)
    .at(-1)
    ?.types[type]?.map(({ resource, name }: DumpedResource) => resource ?? { name })
}
