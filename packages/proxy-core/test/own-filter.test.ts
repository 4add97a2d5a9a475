import { readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import type { ProxyServer } from '../src/index.js'
import { freePort, until } from './support.js'

const folder = import.meta.dirname

it('the filter of docs/filters.md runs and does what the page says', async () => {
  const page = await readFile(path.join(folder, '../../../docs/filters.md'), 'utf8')
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? []
  const file = path.join(folder, `own-filter-${process.pid}.ts`)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const [appPort, proxyPort] = [await freePort(), await freePort()]
    const ports = code.replaceAll(/\b(9090|8080)\b/g, (port) => `${port === '9090' ? appPort : proxyPort}`)
    await writeFile(file, `${ports}\nexport { app, proxy }\n`)
    const { app, proxy } = (await import(file)) as { app: Server; proxy: ProxyServer }
    await until('the answer is printed', () => log.mock.calls.length > 0)
    expect(log).toHaveBeenCalledWith('yes', 'app was told welcome')
    const refused = await fetch(`http://127.0.0.1:${proxyPort}/secret`, { headers: { connection: 'close' } })
    expect([refused.status, await refused.text()]).toEqual([403, 'not for you'])
    await proxy.close()
    app.closeAllConnections()
    app.close()
  } finally {
    await rm(file, { force: true })
    log.mockRestore()
  }
})
