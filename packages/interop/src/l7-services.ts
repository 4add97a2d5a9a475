import { type Metadata, Server, ServerCredentials, type ServerErrorResponse, status } from '@grpc/grpc-js'
import { RateLimitRequest, RateLimitResponse } from '@heddle/xds-types/envoy/service/ratelimit/v3'

const pass = (bytes: Buffer): Buffer => bytes
const raw = { requestSerialize: pass, requestDeserialize: pass, responseSerialize: pass, responseDeserialize: pass } as const

export interface L7Services {
  readonly port: number
  /** Rate limit questions so far, as JSON. */
  readonly asked: string[]
  close(): void
}

/** An echo of messages that are not looked into, and a rate limit service whose verdict is in the values that it is asked about. */
export async function startL7Services(): Promise<L7Services> {
  const server = new Server()
  const asked: string[] = []
  const failure = (metadata: Metadata): ServerErrorResponse | null => {
    const code = metadata.get('x-fail')[0]
    return code === undefined ? null : Object.assign(new Error(), { code: Number(code), details: 'so it was asked: é' })
  }
  server.addService(
    {
      Echo: { path: '/test.Library/Echo', requestStream: false, responseStream: false, ...raw },
      Stream: { path: '/test.Library/Stream', requestStream: false, responseStream: true, ...raw },
      Upload: { path: '/test.Library/Upload', requestStream: true, responseStream: false, ...raw },
    },
    {
      Echo: (
        call: { request: Buffer; metadata: Metadata },
        reply: (error: ServerErrorResponse | null, answer?: Buffer) => void,
      ) => {
        const error = failure(call.metadata)
        if (error !== null) reply(error)
        else reply(null, call.request)
      },
      Stream: (call: import('@grpc/grpc-js').ServerWritableStream<Buffer, Buffer>) => {
        const count = Number(call.metadata.get('x-count')[0] ?? 3)
        for (let i = 0; i < count; i++) call.write(call.request)
        const error = failure(call.metadata)
        if (error !== null) call.emit('error', error)
        else call.end()
      },
      Upload: (
        call: import('@grpc/grpc-js').ServerReadableStream<Buffer, Buffer>,
        reply: (error: null, answer: Buffer) => void,
      ) => {
        let last: Buffer = Buffer.alloc(0)
        call.on('data', (each: Buffer) => {
          last = each
        })
        call.on('end', () => reply(null, last))
      },
    } as never,
  )
  const path = '/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit'
  server.addService({ ShouldRateLimit: { path, requestStream: false, responseStream: false, ...raw } }, {
    ShouldRateLimit: (call: { request: Buffer }, reply: (error: ServerErrorResponse | null, answer?: Buffer) => void) => {
      const request = RateLimitRequest.decode(call.request)
      const text = JSON.stringify(request.ok ? request.value : request.diagnostics)
      asked.push(text)
      if (text.includes('broken')) reply(Object.assign(new Error(), { code: status.UNAVAILABLE, details: 'broken' }))
      else if (!text.includes('slow')) reply(null, verdictOn(text))
    },
  } as never)
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { port, asked, close: () => server.forceShutdown() }
}

function verdictOn(text: string): Buffer {
  const over = text.includes('over')
  const code = over ? 'OVER_LIMIT' : 'OK'
  const limit = { requests_per_unit: 10, unit: 'MINUTE', name: 'ten' } as const
  const response: RateLimitResponse = {
    overall_code: code,
    statuses: [
      { code, current_limit: limit, limit_remaining: over ? 0 : 7, duration_until_reset: '30s' },
      { code: 'OK', current_limit: { requests_per_unit: 100, unit: 'HOUR' }, limit_remaining: 50, duration_until_reset: '900s' },
    ],
    response_headers_to_add: [{ key: 'x-from-rls', value: 'to-client' }],
    ...(over ? {} : { request_headers_to_add: [{ key: 'x-from-rls', value: 'to-upstream' }] }),
    ...(text.includes('over-body') && { raw_body: Buffer.from('too much').toString('base64') }),
  }
  return Buffer.from(RateLimitResponse.encode(response))
}
