import { request as http, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as https } from 'node:https'

/** What is used of the `KubeConfig` of @kubernetes/client-node 1.4 and later: which server, and how to show who one is. */
export interface ClientConfig {
  getCurrentCluster(): { readonly server: string } | null
  applyToHTTPSOptions(options: object): Promise<void>
}

/** Kubernetes' API over HTTP: JSON in and out, and streams of watch events. */
export interface ApiServer {
  /** Rejects with an {@link ApiError} for any answer but 2xx. */
  get<T>(path: string, signal: AbortSignal): Promise<T>
  /** Creates an object, and gives it as the server has filled it in. */
  post<T>(path: string, body: unknown, signal: AbortSignal): Promise<T>
  /** Replaces an object, if it is still of the resourceVersion that `body` names; 409 otherwise. */
  put<T>(path: string, body: unknown, signal: AbortSignal): Promise<T>
  /** A JSON merge patch (RFC 7386). */
  patch(path: string, body: unknown, signal: AbortSignal): Promise<void>
  /** Reads lines of JSON until the server ends the stream. */
  stream(path: string, signal: AbortSignal, line: (value: unknown) => void): Promise<void>
}

/** The API server refused something. */
export class ApiError extends Error {
  readonly status: number
  constructor(path: string, status: number, detail: string) {
    super(`${path.split('?')[0]} answers ${status}${detail === '' ? '' : `: ${detail}`}`)
    this.name = 'ApiError'
    this.status = status
  }
}

const LARGEST_ERROR = 4096

export function createApiServer(config: ClientConfig): ApiServer {
  const send = async (path: string, signal: AbortSignal, more: RequestOptions, body?: string): Promise<IncomingMessage> => {
    const server = config.getCurrentCluster()?.server
    if (server === undefined) throw new Error('the client has no current cluster')
    const options: RequestOptions = { ...more, headers: { accept: 'application/json', ...more.headers } }
    // Each time anew: tokens run out.
    await config.applyToHTTPSOptions(options)
    const url = new URL(server.replace(/\/$/, '') + path)
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (url.protocol === 'http:' ? http : https)(url, { ...options, signal }, resolve)
      request.on('error', reject)
      request.end(body)
    })
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode < 300) return response
    throw new ApiError(path, statusCode, messageOf(await textOf(response, LARGEST_ERROR)))
  }
  const write = async <T>(method: string, path: string, body: unknown, signal: AbortSignal): Promise<T> => {
    const headers = { 'content-type': 'application/json' }
    return JSON.parse(await textOf(await send(path, signal, { method, headers }, JSON.stringify(body)))) as T
  }
  return {
    async get<T>(path: string, signal: AbortSignal): Promise<T> {
      return JSON.parse(await textOf(await send(path, signal, { method: 'GET' }))) as T
    },
    post: <T>(path: string, body: unknown, signal: AbortSignal) => write<T>('POST', path, body, signal),
    put: <T>(path: string, body: unknown, signal: AbortSignal) => write<T>('PUT', path, body, signal),
    async patch(path, body, signal) {
      const headers = { 'content-type': 'application/merge-patch+json' }
      const response = await send(path, signal, { method: 'PATCH', headers }, JSON.stringify(body))
      response.resume()
    },
    async stream(path, signal, line) {
      const response = await send(path, signal, { method: 'GET' })
      for await (const text of linesOf(response)) if (text !== '') line(JSON.parse(text))
    },
  }
}

async function textOf(response: IncomingMessage, limit: number = Number.POSITIVE_INFINITY): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    text += chunk
    if (text.length > limit) break
  }
  return text
}

async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

// Kubernetes answers errors with an object of kind Status.
function messageOf(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? ''
  } catch {
    return text.slice(0, 200)
  }
}
