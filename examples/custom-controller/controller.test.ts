import { createServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import { startController } from './controller.js'

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

test('the proxy answers what the controller says, and what it says next', async () => {
  const port = await freePort()
  const { site, close } = await startController({ '/': 'hello' }, port)
  const answer = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return `${response.status} ${await response.text()}`
  }
  await vi.waitFor(async () => expect(await answer('/')).toBe('200 hello'), 5000)
  site.set({ '/': 'hello again', '/new': 'page' })
  await vi.waitFor(async () => expect(await answer('/new')).toBe('200 page'), 5000)
  expect(await answer('/')).toBe('200 hello again')
  expect(await answer('/old')).toMatch(/^404/)
  await close()
})
