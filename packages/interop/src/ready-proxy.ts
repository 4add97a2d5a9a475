import { createProxy, type ProxyOptions, type ProxyServer } from '@heddle/proxy-core'
import { createJsonLogger, systemClock } from '@heddle/runtime'
import { eventually } from './eventually.js'

/** Our own proxy, once it is ready, and what it has logged so far. When it does not get ready its log is in the error. */
export async function startReadyProxy(options: ProxyOptions): Promise<{ proxy: ProxyServer; lines: readonly string[] }> {
  const lines: string[] = []
  const proxy = createProxy({ logger: createJsonLogger((line) => lines.push(line), systemClock, 'debug'), ...options })
  await proxy.start()
  try {
    await eventually(
      () => proxy.ready.current,
      (ready) => ready,
    )
  } catch (error) {
    await proxy.close()
    throw new Error(`${error}\n${lines.slice(-20).join('')}`)
  }
  return { proxy, lines }
}
