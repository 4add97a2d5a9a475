import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { handleWriter } from './handle-writer.js'

interface Request {
  oncomplete?(this: Request, status: number): void
}

/** A socket whose handle gives these results: 0 written, 1 waiting, below 0 an error. */
function fakeSocket(results: number[]) {
  const { streamBaseState, kLastWriteWasAsync } = (
    process as unknown as { binding(name: string): { streamBaseState: Int32Array; kLastWriteWasAsync: number } }
  ).binding('stream_wrap')
  const requests: Request[] = []
  const written: string[] = []
  const socket = {
    destroyed: false,
    error: undefined as (Error & { code?: string }) | undefined,
    ended: false,
    destroy(error: Error) {
      socket.destroyed = true
      socket.error = error
    },
    end() {
      socket.ended = true
    },
    _handle: {
      writeBuffer(request: Request, bytes: Uint8Array) {
        const result = results.shift() ?? 0
        requests.push(request)
        written.push(Buffer.from(bytes).toString('latin1'))
        streamBaseState[kLastWriteWasAsync] = result === 1 ? 1 : 0
        return Math.min(result, 0)
      },
    },
  }
  return { socket, requests, written, asSocket: socket as unknown as Socket }
}

const nobody = { written: () => {} }

test('what waits is counted until the system has it, and then its owner hears of it once', () => {
  const { asSocket, requests } = fakeSocket([0, 1, 1, 0])
  let heard = 0
  const writer = handleWriter(asSocket, 'net', { written: () => heard++ })!
  for (const length of [1, 20, 300, 4000]) writer.write(new Uint8Array(length))
  expect(writer.pending).toBe(320)
  expect(requests[1]).not.toBe(requests[2])
  requests[1]?.oncomplete?.(0)
  expect([writer.pending, heard]).toEqual([300, 0])
  requests[2]?.oncomplete?.(0)
  expect([writer.pending, heard]).toEqual([0, 1])
})

test('an error at once or later destroys the socket with the name of the error', () => {
  const broken = fakeSocket([-32])
  handleWriter(broken.asSocket, 'net', nobody)!.write(new Uint8Array(1))
  expect(broken.socket.error).toMatchObject({ code: 'EPIPE', message: 'write EPIPE' })
  const later = fakeSocket([1])
  handleWriter(later.asSocket, 'net', nobody)!.write(new Uint8Array(1))
  later.requests[0]?.oncomplete?.(-104)
  expect(later.socket.error).toMatchObject({ code: 'ECONNRESET' })
})

test('a socket without such a handle is written to as Node documents it', () => {
  expect(handleWriter({ _handle: null } as unknown as Socket, 'net', nobody)).toBeUndefined()
  expect(handleWriter({ _handle: {} } as unknown as Socket, 'net', nobody)).toBeUndefined()
})

const text = (letters: string): Uint8Array => Buffer.from(letters, 'latin1')

test('TLS is given one write at a time: what comes meanwhile waits and follows in one, and the end after it', () => {
  const { asSocket, socket, requests, written } = fakeSocket([1, 1])
  let heard = 0
  const writer = handleWriter(asSocket, 'tls', { written: () => heard++ })!
  writer.write(text('first'))
  expect(writer.pending).toBe(0)
  for (const part of ['second', '', ' third']) writer.write(text(part))
  writer.end()
  expect([writer.pending, written, socket.ended]).toEqual([17, ['first'], false])
  requests[0]?.oncomplete?.(0)
  expect([writer.pending, written, heard, socket.ended]).toEqual([0, ['first', 'second third'], 1, false])
  requests[1]?.oncomplete?.(0)
  expect([written.length, heard, socket.ended]).toEqual([2, 1, true])
})

test('an error of TLS at once or later destroys its socket, and nothing that waits follows', () => {
  const broken = fakeSocket([-71])
  handleWriter(broken.asSocket, 'tls', nobody)!.write(text('x'))
  expect(broken.socket.error).toMatchObject({ code: 'EPROTO', message: 'write EPROTO' })
  const later = fakeSocket([1])
  const writer = handleWriter(later.asSocket, 'tls', nobody)!
  for (const part of ['x', 'y']) writer.write(text(part))
  later.requests[0]?.oncomplete?.(-104)
  expect(later.socket.error).toMatchObject({ code: 'ECONNRESET' })
  expect(later.written).toEqual(['x'])
})
