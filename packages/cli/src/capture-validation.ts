import { randomBytes } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'
import { systemClock } from '@heddle/runtime'

export interface CaptureValidationOptions {
  /** Where captured traffic goes: 15001 and 15006. */
  readonly ports: readonly number[]
  /** Where nobody listens; default istio-iptables', 15002. */
  readonly probePort: number
  readonly timeoutMs: number
  readonly ipv6: boolean
}

/** Addresses of the loopback that the rules turn to the proxy when its own user calls them, and where that traffic then arrives. */
const PROBES = { v4: { to: '127.0.0.6', at: '127.0.0.1' }, v6: { to: '::6', at: '::1' } } as const

/**
 * Whether capture is in force, as istio-iptables finds out: it listens in the proxy's place and calls an address where nobody is. To be run as the
 * proxy's user, before the proxy. What is wrong, undefined when all is well.
 */
export async function validateCapture(options: CaptureValidationOptions): Promise<string | undefined> {
  for (const probe of options.ipv6 ? [PROBES.v4, PROBES.v6] : [PROBES.v4]) {
    const wrong = await validateFamily(probe, options)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

async function validateFamily(
  { to, at }: { readonly to: string; readonly at: string },
  { ports, probePort, timeoutMs }: CaptureValidationOptions,
): Promise<string | undefined> {
  const word = randomBytes(16).toString('hex')
  const servers: Server[] = []
  try {
    for (const port of new Set(ports)) servers.push(await listen(port, at, word))
    const end = systemClock.monotonic() + timeoutMs
    for (let last = ''; ; ) {
      const heard = await call(to, probePort, at)
      if (heard === word) return undefined
      last = heard
      if (systemClock.monotonic() >= end)
        return `capture is not in force: a call to ${to}:${probePort} does not come to ${[...new Set(ports)].join(' or ')} (${last || 'nothing heard'})`
      await new Promise<void>((resume) => systemClock.after(100, resume))
    }
  } catch (error) {
    return `capture cannot be looked at: ${error instanceof Error ? error.message : String(error)}`
  } finally {
    for (const server of servers) server.close()
  }
}

function listen(port: number, host: string, word: string): Promise<Server> {
  return new Promise((done, reject) => {
    const server = createServer((socket) => socket.on('error', () => {}).end(word))
    server.once('error', reject)
    server.listen({ port, host }, () => done(server))
  })
}

/** What the other side says first, or why nothing. From an address of its own, since what comes from the proxy's special one is let pass. */
function call(host: string, port: number, localAddress: string): Promise<string> {
  return new Promise((done) => {
    let heard = ''
    const socket = connect({ host, port, localAddress, timeout: 1_000 })
    socket.on('data', (bytes) => (heard += String(bytes)))
    socket.once('timeout', () => socket.destroy(new Error('no answer')))
    socket.once('error', (error) => done(error.message))
    socket.once('close', () => done(heard))
  })
}
