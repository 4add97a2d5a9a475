import { describe, expect, it } from 'vitest'
import type { SocketAddress } from '../connection.js'
import { createKernelOriginalDst } from './kernel.js'
import { type Koffi, type Libc, loadLibc } from './libc.js'
import { firstOriginalDst, localAddressOriginalDst } from './local-address.js'
import { createMappedOriginalDst } from './mapped.js'
import { makeTransparent } from './transparent.js'
import { createTransparentSocket } from './transparent-client.js'

const bound = { address: '0.0.0.0', port: 15001 }
const at = (address: string, port: number): SocketAddress => ({ address, port })

/** A kernel that knows this sockaddr, given as hex, at one level of options. */
function kernel(level: number, sockaddr: string): Pick<Libc, 'getsockopt'> {
  return {
    getsockopt(_fd, asked, option, value, length) {
      const bytes = Buffer.from(sockaddr, 'hex')
      if (asked !== level || option !== 80 || length[0] !== bytes.length) return -1
      value.set(bytes)
      return 0
    },
  }
}

describe('the original destination by the kernel', () => {
  it('is what getsockopt tells, for IPv4', () => {
    const originalDst = createKernelOriginalDst(kernel(0, `02001f90${'0a60000a'}${'00'.repeat(8)}`))
    expect(originalDst.of({ fd: 7, local: at('127.0.0.1', 15001), bound })).toEqual(at('10.96.0.10', 8080))
  })

  it.each([
    ['fd000000000000000000000000000010', 'fd00::10'],
    ['20010db8000000010000000000000001', '2001:db8:0:1::1'],
    ['00000000000000000000000000000001', '::1'],
  ])('is written as Node writes IPv6 addresses: %s', (bytes, text) => {
    const originalDst = createKernelOriginalDst(kernel(41, `0a001f9000000000${bytes}00000000`))
    expect(originalDst.of({ fd: 7, local: at('::2', 15001), bound })).toEqual(at(text, 8080))
  })

  it('is none for a direct connection, whose own address comes back', () => {
    const originalDst = createKernelOriginalDst(kernel(41, `0a003a9900000000fe80${'00'.repeat(13)}0100000000`))
    expect(originalDst.of({ fd: 7, local: at('fe80::1%eth0', 15001), bound })).toBeUndefined()
  })

  it('is none where connections are not tracked, and for a handle without a descriptor', () => {
    const originalDst = createKernelOriginalDst({ getsockopt: () => -1 })
    expect(originalDst.of({ fd: 7, local: at('10.0.0.1', 15001), bound })).toBeUndefined()
    expect(createKernelOriginalDst(kernel(0, '')).of({ fd: -1, local: at('10.0.0.1', 1), bound })).toBeUndefined()
  })
})

describe('the original destination under TPROXY', () => {
  it('is the local address; the port of the listener is a direct hit', () => {
    expect(localAddressOriginalDst.of({ fd: 7, local: at('10.96.0.10', 80), bound })).toEqual(at('10.96.0.10', 80))
    expect(localAddressOriginalDst.of({ fd: 7, local: at('10.0.0.1', 15001), bound })).toBeUndefined()
  })

  it('may be told by the kernel all the same', () => {
    const redirected = createKernelOriginalDst(kernel(0, `02001f90${'0a60000a'}${'00'.repeat(8)}`))
    const both = firstOriginalDst(redirected, localAddressOriginalDst)
    expect(both.of({ fd: 7, local: at('10.0.0.1', 15001), bound })).toEqual(at('10.96.0.10', 8080))
    expect(both.of({ fd: -1, local: at('10.0.0.1', 80), bound })).toEqual(at('10.0.0.1', 80))
    expect(both.of({ fd: -1, local: at('10.0.0.1', 15001), bound })).toBeUndefined()
  })

  it('needs a capability, and says so', () => {
    const libc = { setsockopt: () => -1, errno: () => 1 }
    expect(() => makeTransparent(libc, 7, bound)).toThrow(/CAP_NET_ADMIN.*use REDIRECT/)
  })

  it('is called from another address only where the kernel allows it; what was opened is closed', () => {
    const calls: string[] = []
    const call = (what: string, outcome: number): number => {
      calls.push(what)
      return outcome
    }
    const libc: Libc = {
      getsockopt: () => -1,
      setsockopt: (_, level, option) => call(`${level} ${option}`, 0),
      errno: () => 1,
      socket: () => 7,
      bind: (_, address) => call(Buffer.from(address).toString('hex'), -1),
      close: (fd) => call(`close ${fd}`, 0),
    }
    expect(() => createTransparentSocket(libc, { address: '10.0.0.9', mark: 1337 }, {})).toThrow(/10\.0\.0\.9.*CAP_NET_ADMIN/)
    expect(calls).toEqual(['0 19', '1 36', '0 24', `02000000${'0a000009'}${'00'.repeat(8)}`, 'close 7'])
  })
})

describe('the original destination by a map', () => {
  it('follows the map, and is none for other addresses', () => {
    const map = new Map<string, SocketAddress>()
    const originalDst = createMappedOriginalDst(map)
    const local = at('127.1.0.1', 15101)
    expect(originalDst.of({ fd: 7, local, bound })).toBeUndefined()
    map.set('127.1.0.1:15101', at('10.96.0.10', 80))
    expect(originalDst.of({ fd: 7, local, bound })).toEqual(at('10.96.0.10', 80))
  })
})

it('without koffi the error names what else there is', async () => {
  const missing = (): Promise<Koffi> => Promise.reject(new Error("Cannot find package 'koffi'\nmore"))
  await expect(loadLibc(missing)).rejects.toThrow(/koffi.*Cannot find package.*createMappedOriginalDst/)
  await expect(loadLibc(missing)).rejects.toMatchObject({ code: 'ORIGINAL_DST' })
})
