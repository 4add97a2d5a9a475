import { expect, it } from 'vitest'
import { bodyOf } from '../http/body.js'
import { createHeaderMap } from '../http/header-map.js'
import type { Body, HttpRequest } from '../http/message.js'
import { lendBody, refusedHandshake } from './upgrade.js'

it.each([
  ['websocket', 200, 'HTTP/1.1', true],
  ['websocket', 101, 'HTTP/1.1', false],
  ['websocket', 403, 'HTTP/1.1', false],
  ['websocket', 200, 'HTTP/2', false],
  ['other', 200, 'HTTP/1.1', false],
  [undefined, 200, 'HTTP/1.1', false],
])('of %s, answered with %i over %s, only the head is passed on: %s', (upgrade, status, protocol, refused) => {
  const response = { status, headers: createHeaderMap([['content-length', '2']]), body: bodyOf('no') }
  const passed = refusedHandshake({ upgrade } as HttpRequest, protocol, response)
  expect(passed !== undefined).toBe(refused)
  if (passed !== undefined) expect([passed.body.length, passed.headers.get('content-length')]).toEqual([0, '0'])
})

it('a body that is lent is let be until an attempt has taken it', () => {
  const calls: string[] = []
  const body = {
    length: undefined,
    consume: () => calls.push('consume'),
    discard: () => calls.push('discard'),
  } as unknown as Body
  const [first, second] = [lendBody(body), lendBody(body)]
  first.discard()
  expect(calls).toEqual([])
  second.consume({} as never)
  second.discard()
  expect(calls).toEqual(['consume', 'discard'])
})
