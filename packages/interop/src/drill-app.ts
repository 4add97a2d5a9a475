import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { NetworkNamespace } from './namespace.js'

/** What a server of the drill tells its caller, or why there was no answer. */
export interface Answer {
  readonly status?: number
  /** Where the server was reached, `10.77.2.2:8080`. */
  readonly at?: string
  /** Who the server saw. */
  readonly from?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly text?: string
  readonly error?: string
}

/** An app in a namespace. */
export interface DrillApp {
  call(kind: 'http' | 'tcp' | 'udp', options: Readonly<Record<string, unknown>>): Promise<Answer>
  many(options: { prefix: string; port: number; count: number }): Promise<{ count: number; wrong: number; sample: unknown[] }>
}

const SCRIPT = fileURLToPath(new URL('../scripts/drill-app.mjs', import.meta.url))

/** Starts one that serves what `servers` name: `http:8080`, `tcp:9000`, `udp:5353`. */
export async function startDrillApp(namespace: NetworkNamespace, servers: readonly string[]): Promise<DrillApp> {
  const child = namespace.start(process.execPath, [SCRIPT, ...servers], { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting = new Map<number, (result: unknown) => void>()
  let next = 0
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the app of ${namespace.name} ended with ${code}`)))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const { ready, id, result } = JSON.parse(line) as { ready?: boolean; id: number; result: unknown }
      if (ready) return resolve()
      waiting.get(id)?.(result)
      waiting.delete(id)
    })
  })
  const ask = (call: string, options: object): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++next
      waiting.set(id, resolve)
      child.stdin!.write(`${JSON.stringify({ id, call, ...options })}\n`)
    })
  return {
    call: (kind, options) => ask(kind, options) as Promise<Answer>,
    many: (options) => ask('many', options) as ReturnType<DrillApp['many']>,
  }
}
