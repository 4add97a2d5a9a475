import { createRequire } from 'node:module'
import { type ChannelCredentials, Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { WHO } from './greeter.js'
import type { StartClient } from './proxyless-client.js'

const DEADLINE_MS = 20_000
/** So many calls of a load at once: a machine that cannot keep up makes fewer of them, not all of them late. */
const AT_ONCE = 100

/** gRPC's xDS client and server in JavaScript, under a bootstrap. Both live as long as the process, so this can be called once in it. */
export async function registerGrpcJs(bootstrap: object): Promise<typeof import('@grpc/grpc-js-xds')> {
  process.env['GRPC_XDS_BOOTSTRAP_CONFIG'] = JSON.stringify(bootstrap)
  mendXxhash()
  const xds = await import('@grpc/grpc-js-xds')
  xds.register()
  return xds
}

/** Under the test runner's resolve conditions the client's `require('xxhash-wasm')` gets the ES module instead of the function. */
function mendXxhash(): void {
  const require = createRequire(createRequire(import.meta.url).resolve('@grpc/grpc-js-xds'))
  const id = require.resolve('xxhash-wasm')
  const loaded: unknown = require(id)
  const cached = require.cache[id]
  if (typeof loaded !== 'function' && cached !== undefined) cached.exports = (loaded as { default: unknown }).default
}

export function who(client: Client, headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const metadata = new Metadata()
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
  const { path, requestSerialize, responseDeserialize } = WHO
  const deadline = { deadline: Date.now() + DEADLINE_MS }
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, Buffer.alloc(0), metadata, deadline, (error, answer) => {
      if (error === null) resolve(String(answer))
      else reject(error)
    })
  })
}

export const grpcJsClient: StartClient = async (bootstrap) => {
  const { XdsChannelCredentials } = await registerGrpcJs(bootstrap)
  const clients = new Map<string, Client>()
  const clientOf = (target: string): Client => {
    const known = clients.get(target)
    if (known !== undefined) return known
    // Its types are those of the grpc-js that it brings.
    const trust = new XdsChannelCredentials(credentials.createInsecure() as never) as unknown as ChannelCredentials
    const client = new Client(target, trust)
    clients.set(target, client)
    return client
  }
  const counted = async (
    counts: Record<string, number>,
    client: Client,
    headers?: Readonly<Record<string, string>>,
  ): Promise<void> => {
    const answer = await who(client, headers).catch(({ code, details }: ServiceError) => `${status[code]}: ${details}`)
    counts[answer] = (counts[answer] ?? 0) + 1
  }
  return {
    async call(target, count, headers) {
      const counts: Record<string, number> = {}
      for (let i = 0; i < count; i++) await counted(counts, clientOf(target), headers)
      return counts
    },
    async load(target, perSecond) {
      const counts: Record<string, number> = {}
      const calls: Promise<void>[] = []
      let underWay = 0
      const call = async (): Promise<void> => {
        underWay++
        await counted(counts, clientOf(target))
        underWay--
      }
      const begin = performance.now()
      // A timer that comes late makes up for it: it is the rate that counts.
      const due = (): number => ((performance.now() - begin) * perSecond) / 1_000
      const timer = setInterval(() => {
        while (calls.length < due() && underWay < AT_ONCE) calls.push(call())
      }, 1_000 / perSecond)
      return {
        async end() {
          clearInterval(timer)
          await Promise.all(calls)
          return counts
        },
      }
    },
    close() {
      for (const client of clients.values()) client.close()
    },
  }
}
