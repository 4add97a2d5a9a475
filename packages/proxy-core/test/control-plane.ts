import { createSnapshotCache, createXdsServer, type SnapshotCache, type XdsEvent } from '@heddle/xds-server'
import { listenGrpc } from '@heddle/xds-server/grpc'
import { later } from './support.js'

export interface ControlPlane {
  readonly port: number
  readonly cache: SnapshotCache
  readonly events: readonly XdsEvent[]
  close(): Promise<void>
}

/** Our xDS server; a second one may take over the cache and the port of the first. */
export async function startControlPlane(cache: SnapshotCache = createSnapshotCache(), port = 0): Promise<ControlPlane> {
  const events: XdsEvent[] = []
  const server = createXdsServer({ resources: (node) => cache.watch(node.id) })
  server.subscribe((event) => events.push(event))
  const grpc = await listenGrpc(server, { address: `127.0.0.1:${port}` })
  let closed = false
  const close = async (): Promise<void> => {
    if (closed) return
    closed = true
    await grpc.close()
  }
  later(close)
  return { port: grpc.port, cache, events, close }
}
