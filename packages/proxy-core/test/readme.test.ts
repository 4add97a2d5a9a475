import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import type { ProxyServer } from '../src/index.js'
import { freePort, until } from './support.js'

const folder = path.join(import.meta.dirname, '..')

it('the example of the README runs and prints what it says', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(await readFile(path.join(folder, 'README.md'), 'utf8')) ?? []
  const file = path.join(folder, 'test', `readme-${process.pid}.ts`)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    // Free ports, so that nothing that runs beside it is met.
    const [appPort, proxyPort] = [await freePort(), await freePort()]
    const ports = code.replaceAll(/\b(9090|8080)\b/g, (port) => `${port === '9090' ? appPort : proxyPort}`)
    await writeFile(file, `${ports}\nexport { app, proxy }\n`)
    const { app, proxy } = (await import(file)) as { app: Server; proxy: ProxyServer }
    await until('the answer is printed', () => log.mock.calls.length > 0)
    expect(log).toHaveBeenCalledWith(200, 'app got /hello')
    await proxy.close()
    app.closeAllConnections()
    app.close()
  } finally {
    await rm(file, { force: true })
    log.mockRestore()
  }
})
