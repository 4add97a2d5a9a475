import { createServer, type Server, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { acceptHandles, handleWriter } from './socket-handle.js'

interface Request {
  oncomplete?: (status: number) => void
}

/** A socket whose handle gives these results: 0 written, 1 waiting, below 0 an error. */
function fakeSocket(results: number[]) {
  const { streamBaseState, kLastWriteWasAsync } = (
    process as unknown as { binding(name: string): { streamBaseState: Int32Array; kLastWriteWasAsync: number } }
  ).binding('stream_wrap')
  const requests: Request[] = []
  const socket = {
    destroyed: false,
    error: undefined as (Error & { code?: string }) | undefined,
    destroy(error: Error) {
      socket.destroyed = true
      socket.error = error
    },
    _handle: {
      writeBuffer(request: Request) {
        const result = results.shift() ?? 0
        requests.push(request)
        streamBaseState[kLastWriteWasAsync] = result === 1 ? 1 : 0
        return Math.min(result, 0)
      },
    },
  }
  return { socket, requests, asSocket: socket as unknown as Socket }
}

const nobody = { written: () => {} }

test('what waits is counted until the system has it, and then its owner hears of it once', () => {
  const { asSocket, requests } = fakeSocket([0, 1, 1, 0])
  let heard = 0
  const writer = handleWriter(asSocket, { written: () => heard++ })!
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
  handleWriter(broken.asSocket, nobody)!.write(new Uint8Array(1))
  expect(broken.socket.error).toMatchObject({ code: 'EPIPE', message: 'write EPIPE' })
  const later = fakeSocket([1])
  handleWriter(later.asSocket, nobody)!.write(new Uint8Array(1))
  later.requests[0]?.oncomplete?.(-104)
  expect(later.socket.error).toMatchObject({ code: 'ECONNRESET' })
})

test('a socket without such a handle is written to as Node documents it', () => {
  expect(handleWriter({ _handle: null } as unknown as Socket, nobody)).toBeUndefined()
  expect(handleWriter({ _handle: {} } as unknown as Socket, nobody)).toBeUndefined()
})

test('a server gives away the handles that it accepts, and hears of errors and of other handles itself', () => {
  const heard: unknown[] = []
  const listening = { onconnection: (status: number, handle?: object) => heard.push([status, handle]) }
  const taken: object[] = []
  acceptHandles({ _handle: listening } as unknown as Server, (handle) => taken.push(handle))
  const handle = { useUserBuffer() {}, readStart() {} }
  listening.onconnection(0, handle)
  listening.onconnection(-24)
  listening.onconnection(0, {})
  expect(taken).toEqual([handle])
  expect(heard).toEqual([
    [-24, undefined],
    [0, {}],
  ])
})

test('a server without such a handle accepts as Node documents it', () => {
  acceptHandles(createServer(), () => {
    throw new Error('nothing is accepted')
  })
})
