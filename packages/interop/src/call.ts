import { Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: string
}

/** Sends requests to one port, on kept connections. */
export interface Caller {
  /** `host` is what the Host header says; headers in lower case. */
  call(host: string, path?: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
  /** How often each body came in `count` calls. Anything but 200 counts as its status. */
  spread(host: string, count: number, headers?: Readonly<Record<string, string>>): Promise<Record<string, number>>
  close(): void
}

const CALL_TIMEOUT_MS = 20_000
const AT_ONCE = 8

export function createCaller(port: number): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })
  const call: Caller['call'] = (host, path = '/', headers = {}) =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, agent, headers: { host, ...headers }, timeout: CALL_TIMEOUT_MS }
      const outgoing = request(options, (response) => {
        let body = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          body += chunk
        })
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
      })
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${CALL_TIMEOUT_MS} ms`)))
      outgoing.once('error', reject)
      outgoing.end()
    })
  return {
    call,
    async spread(host, count, headers) {
      const found: Record<string, number> = {}
      let left = count
      const worker = async (): Promise<void> => {
        while (left-- > 0) {
          const { status, body } = await call(host, '/', headers)
          const key = status === 200 ? body : String(status)
          found[key] = (found[key] ?? 0) + 1
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))
      return found
    },
    close: () => agent.destroy(),
  }
}
