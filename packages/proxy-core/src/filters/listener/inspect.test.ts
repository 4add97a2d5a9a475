import { createFakeClock } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { CompiledListener } from '../../config/compiled.js'
import type { Connection } from '../../net/connection.js'
import { inspectConnection } from './inspect.js'

const listener = (...listenerFilters: string[]): CompiledListener =>
  ({
    listenerFilters,
    listenerFilterEnabled: (name: string, port: number) => listenerFilters.includes(name) && port !== OFF,
    listenerFiltersTimeoutMs: 0,
    continueOnListenerFiltersTimeout: false,
  }) as unknown as CompiledListener

/** filter_disabled holds for connections to this port. */
const OFF = 3306

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** A TLS 1.2 ClientHello with nothing but a server name. */
function clientHello(name: string): Uint8Array {
  const host = Buffer.from(name)
  const sni = Buffer.concat([bytesOf(0, 0, 0, host.length + 5, 0, host.length + 3, 0, 0, host.length), host])
  const body = Buffer.concat([bytesOf(3, 3), Buffer.alloc(32), bytesOf(0, 0, 2, 0x13, 1, 1, 0, 0, sni.length), sni])
  return Buffer.concat([bytesOf(22, 3, 1, 0, body.length + 4, 1, 0, 0, body.length), body])
}

/** Hears `bytes` as soon as it is listened to. */
function connectionWith(bytes: Uint8Array, originalPort?: number): Connection {
  const address = { address: '127.0.0.1', port: 1 }
  return {
    remote: address,
    local: address,
    originalDestination: originalPort === undefined ? undefined : { address: '10.0.0.1', port: originalPort },
    handle: (handler: { onData(bytes: Uint8Array): void }) => queueMicrotask(() => handler.onData(bytes)),
    unread() {},
    pause() {},
    resume() {},
  } as unknown as Connection
}

describe('the requested server name', () => {
  it('is what the tls_inspector read, and stays with the connection', async () => {
    const connection = connectionWith(clientHello('web.example'))
    const facts = await inspectConnection(connection, listener('tls_inspector'), createFakeClock())
    expect(facts).toMatchObject({ transportProtocol: 'tls', serverName: 'web.example' })
    expect(connection.requestedServerName).toBe('web.example')
  })

  it('is unknown without tls_inspector, as in Envoy', async () => {
    const connection = connectionWith(clientHello('web.example'))
    const facts = await inspectConnection(connection, listener(), createFakeClock())
    expect(facts?.serverName).toBeUndefined()
    expect(connection.requestedServerName).toBeUndefined()
  })

  it('is not waited for where filter_disabled switches the inspector off: a server that speaks first', async () => {
    const silent = connectionWith(bytesOf(), OFF)
    expect(await inspectConnection(silent, listener('tls_inspector', 'http_inspector'), createFakeClock())).toMatchObject({
      transportProtocol: 'raw_buffer',
      destination: { address: '10.0.0.1', port: OFF },
    })
  })

  it('notes whose address upstreams are to see, where original_src says so', async () => {
    const connection = connectionWith(bytesOf(), OFF - 1)
    const keeping = { ...listener('original_src'), originalSrcMark: 1337 }
    await inspectConnection(connection, keeping, createFakeClock())
    expect(connection.transparentSource).toEqual({ address: '127.0.0.1', mark: 1337 })
    const other = connectionWith(bytesOf(), OFF)
    await inspectConnection(other, keeping, createFakeClock())
    expect(other.transparentSource).toBeUndefined()
  })
})
