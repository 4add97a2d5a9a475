import { expect, test, vi } from 'vitest'
import { startController } from './controller.js'

test('the proxy answers what the controller says, and what it says next', async () => {
  const { site, proxy, close } = await startController({ '/': 'hello' }, 0)
  const answer = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${proxy.listeners[0]?.address.port}${path}`)
    return `${response.status} ${await response.text()}`
  }
  await vi.waitFor(async () => expect(await answer('/')).toBe('200 hello'), 20_000)
  site.set({ '/': 'hello again', '/new': 'page' })
  await vi.waitFor(async () => expect(await answer('/new')).toBe('200 page'), 20_000)
  expect(await answer('/')).toBe('200 hello again')
  expect(await answer('/old')).toMatch(/^404/)
  await close()
})
