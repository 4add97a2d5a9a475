import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Answers, StartClient } from './proxyless-client.js'
import type { Tool } from './tools.js'

/** gRPC's C core, in a process of Python that takes orders by lines. */
export function cCoreClient(tool: Tool): StartClient {
  return async (bootstrap) => {
    const script = join(import.meta.dirname, '../test/c-core-client.py')
    const env = { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrap), GRPC_VERBOSITY: 'NONE' }
    const child = spawn(tool.path, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const waiting = new Map<number, (counts: Answers) => void>()
    let orders = 0
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, counts } = JSON.parse(line) as { id: number; counts: Answers }
      waiting.get(id)?.(counts)
      waiting.delete(id)
    })
    const send = (order: object): number => {
      child.stdin.write(`${JSON.stringify({ id: ++orders, ...order })}\n`)
      return orders
    }
    const answerTo = (id: number): Promise<Answers> => new Promise((resolve) => waiting.set(id, resolve))
    return {
      call: (target, count, headers = {}) => answerTo(send({ target, count, headers })),
      async load(target, perSecond) {
        const id = send({ target, rate: perSecond })
        return {
          end() {
            send({ end: id })
            return answerTo(id)
          },
        }
      },
      async close() {
        child.stdin.end()
        child.kill('SIGKILL')
        await ended
      },
    }
  }
}
