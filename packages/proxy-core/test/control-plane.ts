import { createSnapshotCache, createXdsServer, type SnapshotCache, type XdsEvent } from '@heddle/xds-server'
import { listenGrpc } from '@heddle/xds-server/grpc'
import { freePort, later } from './support.js'

export interface ControlPlane {
  readonly port: number
  readonly cache: SnapshotCache
  readonly events: readonly XdsEvent[]
  close(): Promise<void>
}

/**
 * Our xDS server; a second one may take over the cache and the port of the first. In between nobody takes it for a connection of its own, as
 * may happen to a port that the system gave.
 */
export async function startControlPlane(cache: SnapshotCache = createSnapshotCache(), taken?: number): Promise<ControlPlane> {
  const port = taken ?? (await freePort())
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
