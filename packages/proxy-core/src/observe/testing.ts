import type { GrpcClient } from '../upstream/grpc-client.js'
import type { HttpCallOptions, HttpClient } from '../upstream/http-client.js'

/** A collector that only listens, over HTTP and gRPC; `status` 200 is 0 in gRPC. */
export interface FakeCollector {
  readonly http: HttpClient
  readonly calls: HttpCallOptions[]
  readonly streams: { path: string; sent: Uint8Array[]; break(): void }[]
  readonly messages: { cluster: string; path: string; message: Uint8Array }[]
  grpc(cluster: string): GrpcClient
  status: number
}

export function createFakeCollector(): FakeCollector {
  const collector: FakeCollector = {
    calls: [],
    messages: [],
    streams: [],
    status: 200,
    http: {
      call(options) {
        collector.calls.push(options)
        const answer = { status: collector.status, headers: undefined as never, body: new Uint8Array() }
        return { done: Promise.resolve(answer), cancel() {} }
      },
    },
    grpc: (cluster) => ({
      call({ path }, message) {
        collector.messages.push({ cluster, path, message })
        const code = collector.status === 200 ? 0 : 14
        return { done: Promise.resolve({ code, message: '', trailers: undefined as never }), cancel() {} }
      },
      stream({ path }, events) {
        const sent: Uint8Array[] = []
        const status = { code: 14, message: '', trailers: undefined as never }
        collector.streams.push({ path, sent, break: () => events.onStatus(status) })
        return { buffered: 0, send: (message) => sent.push(message) > 0, end() {}, cancel() {} }
      },
    }),
  }
  return collector
}
