import { bodyOf, readBody } from '../http/body.js'
import { createHeaderMap, type HeaderMap } from '../http/header-map.js'
import type { HttpRequest, HttpResponse } from '../http/message.js'
import type { Timers } from '../net/timers.js'
import type { ClusterManager } from './cluster-manager.js'

export interface HttpClientOptions {
  readonly clusters: ClusterManager
  readonly timers: Timers
  /** What x-forwarded-for says of calls that ask for it; absent: nothing is said. */
  readonly localAddress?: string
}

export interface HttpCallOptions {
  /** Looked up when the call is made. */
  readonly cluster: string
  readonly method: string
  readonly authority: string
  /** With its query. */
  readonly path: string
  /** Default: http. */
  readonly scheme?: string
  readonly headers?: Iterable<readonly [name: string, value: string]>
  readonly body?: Uint8Array
  /** Whether x-forwarded-for tells where the call comes from. */
  readonly forwardedFor?: boolean
  /** Milliseconds for the whole answer, told to the upstream as x-envoy-expected-rq-timeout-ms; 0: no limit. */
  readonly timeoutMs: number
  /** The largest body that is taken; default 1 MiB. */
  readonly maxBodyBytes?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: HeaderMap
  readonly body: Uint8Array
}

/** In words, for operators: no answer came. */
export interface HttpFailure {
  readonly failure: string
  readonly timedOut?: boolean
}

export interface HttpCall {
  /** Never rejects; stays open after `cancel`. */
  readonly done: Promise<HttpAnswer | HttpFailure>
  cancel(): void
}

/**
 * Requests that the proxy makes for itself, over its own clusters: endpoints, TLS, pools, circuit breakers and outlier
 * detection are the cluster's. Redirects are not followed.
 */
export interface HttpClient {
  call(options: HttpCallOptions): HttpCall
}

const MAX_BODY_BYTES = 1024 * 1024

export function createHttpClient(options: HttpClientOptions): HttpClient {
  return { call: (call) => start(options, call) }
}

function start({ clusters, timers, localAddress }: HttpClientOptions, call: HttpCallOptions): HttpCall {
  const cluster = clusters.get(call.cluster)
  const endpoint = cluster?.pick({}, undefined)
  if (cluster === undefined || endpoint === undefined) {
    const failure = cluster === undefined ? `there is no cluster ${call.cluster}` : `no endpoint of ${call.cluster} is healthy`
    return { done: Promise.resolve({ failure }), cancel() {} }
  }
  const host = cluster.host(endpoint)
  let settle!: (answer: HttpAnswer | HttpFailure) => void
  let over = false
  const done = new Promise<HttpAnswer | HttpFailure>((resolve) => {
    settle = resolve
  })
  const deadline = timers.timer(() => {
    finish({ failure: `no answer in ${call.timeoutMs} ms`, timedOut: true })
    attempt?.cancel()
  })
  const finish = (answer: HttpAnswer | HttpFailure): void => {
    if (over) return
    over = true
    deadline.stop()
    if ('failure' in answer) host.errors++
    settle(answer)
  }
  deadline.start(call.timeoutMs)
  const attempt = cluster.pool(endpoint, cluster.protocolFor('HTTP/1.1')).send(requestOf(call, localAddress), {
    onConnected() {},
    onEnd() {},
    onFailure: (reason, error) => finish({ failure: error === undefined ? reason : `${reason}: ${error.message}` }),
    onResponse(response) {
      if (response.status < 500) host.successes++
      readAnswer(response, call.maxBodyBytes ?? MAX_BODY_BYTES).then(finish, (error: Error) => {
        finish({ failure: error.message })
        attempt?.cancel()
      })
    },
  })
  return {
    done,
    cancel() {
      if (over) return
      over = true
      deadline.stop()
      attempt.cancel()
    },
  }
}

async function readAnswer({ status, headers, body }: HttpResponse, limit: number): Promise<HttpAnswer> {
  return { status, headers, body: body.length === 0 ? new Uint8Array() : await readBody(body, limit) }
}

function requestOf(call: HttpCallOptions, localAddress: string | undefined): HttpRequest {
  const { method, authority, path, body, timeoutMs } = call
  const headers = createHeaderMap()
  for (const [name, value] of call.headers ?? []) headers.append(name, value)
  if (timeoutMs > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(timeoutMs))
  headers.set('x-envoy-internal', 'true')
  if (call.forwardedFor === true && localAddress !== undefined) headers.append('x-forwarded-for', localAddress)
  const line = { method, scheme: call.scheme ?? 'http', authority, path, protocol: 'HTTP/1.1' as const }
  return { ...line, headers, body: bodyOf(body ?? '') }
}
