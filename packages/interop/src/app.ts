import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An app behind the mesh: it says its name. `/flaky?key=K&times=N` answers 503 the first N times. */
export interface App {
  readonly name: string
  readonly port: number
  /** Requests so far. */
  readonly answered: number
  /** Of the last request. */
  readonly lastHeaders: IncomingHttpHeaders
  close(): Promise<void>
}

export async function startApp(name: string): Promise<App> {
  const failuresLeft = new Map<string, number>()
  let lastHeaders: IncomingHttpHeaders = {}
  let answered = 0
  const server = createServer((request, response) => {
    lastHeaders = request.headers
    answered++
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app')
    let status = 200
    if (pathname === '/flaky') {
      const key = searchParams.get('key') ?? ''
      const left = failuresLeft.get(key) ?? Number(searchParams.get('times'))
      failuresLeft.set(key, left - 1)
      if (left > 0) status = 503
    }
    response.writeHead(status, { 'content-type': 'text/plain' }).end(name)
  })
  // A proxy keeps its connections, and must not send into one that is being closed for idleness.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    name,
    port: (server.address() as AddressInfo).port,
    get answered() {
      return answered
    },
    get lastHeaders() {
      return lastHeaders
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
