import { createServer, type Server } from 'node:net'
import { expect, test } from 'vitest'
import { acceptHandles } from './socket-handle.js'

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
