import { createServer } from 'node:net'

// Below the range from which systems take ports for outgoing connections, so that none is taken between choosing and binding.
const FIRST = 20_000
const LAST = 32_000

const free = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })

/** Hands out free ports of the loopback address, none twice. */
export function createPorts(start: number = FIRST + Math.floor(Math.random() * (LAST - FIRST))): { next(): Promise<number> } {
  let port = start
  return {
    async next() {
      for (let tries = 0; tries < LAST - FIRST; tries++) {
        port = port >= LAST ? FIRST : port + 1
        if (await free(port)) return port
      }
      throw new Error(`no free port between ${FIRST} and ${LAST}`)
    },
  }
}
