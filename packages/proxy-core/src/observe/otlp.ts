import type { GrpcService, HttpUri } from '../config/grpc-service.js'
import type { GrpcClient } from '../upstream/grpc-client.js'
import type { HttpClient } from '../upstream/http-client.js'

/** Where OTLP goes: a gRPC service, or an HTTP endpoint that takes protobuf. */
export type Collector =
  | ({ readonly kind: 'grpc' } & GrpcService)
  | ({ readonly kind: 'http'; readonly headers: readonly (readonly [name: string, value: string])[] } & HttpUri)

export interface OtlpDeps {
  readonly http: HttpClient
  grpc(cluster: string): GrpcClient
}

export type Attributes = ReadonlyMap<string, string>

export interface KeyValue {
  readonly key: string
  readonly value: { readonly string_value: string }
}

export function keyValues(attributes: Attributes): KeyValue[] {
  return [...attributes].map(([key, value]) => ({ key, value: { string_value: value } }))
}

const TIMEOUT_MS = 10_000

/** One unary export. False: it is lost. Never rejects. */
export async function sendOtlp(collector: Collector, path: string, message: Uint8Array, deps: OtlpDeps): Promise<boolean> {
  const timeoutMs = collector.timeoutMs === 0 ? TIMEOUT_MS : collector.timeoutMs
  if (collector.kind === 'grpc') {
    const { cluster, authority, metadata } = collector
    const options = { path, metadata, timeoutMs, ...(authority !== undefined && { authority }) }
    const { code } = await deps.grpc(cluster).call(options, message).done
    return code === 0
  }
  const { cluster, scheme, authority, path: endpoint, headers } = collector
  const answer = await deps.http.call({
    ...{ cluster, scheme, authority, path: endpoint, method: 'POST', timeoutMs, body: message },
    headers: [['content-type', 'application/x-protobuf'], ...headers],
  }).done
  return 'status' in answer && answer.status >= 200 && answer.status < 300
}
