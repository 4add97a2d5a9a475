import { createWatch } from '@heddle/runtime'
import { expect, test } from 'vitest'
import { testServer } from './fake-client.test-suite.js'
import { valuesOf } from './values-of.js'

test('the value now, then the newest each time, until the signal', async () => {
  const watch = createWatch(1)
  const abort = new AbortController()
  const values = valuesOf(watch, { signal: abort.signal })
  expect(await values.next()).toEqual({ value: 1, done: false })
  watch.set(2)
  watch.set(3)
  expect(await values.next()).toEqual({ value: 3, done: false })
  const last = values.next()
  abort.abort()
  expect(await last).toEqual({ value: undefined, done: true })
})

test('a loop that is left listens no more', async () => {
  let listeners = 0
  const source = createWatch('a')
  const watch = {
    current: 'a',
    subscribe(changed: (value: string) => void) {
      listeners++
      const stop = source.subscribe(changed)
      return () => {
        listeners--
        stop()
      }
    },
  }
  for await (const value of valuesOf(watch)) {
    expect([value, listeners]).toEqual(['a', 1])
    break
  }
  expect(listeners).toBe(0)
})

test('a server ends with its signal, and with `await using`', async () => {
  const abort = new AbortController()
  const { open } = testServer({ signal: abort.signal })
  const stream = open('delta')
  abort.abort()
  expect(stream.closed).toMatchObject([{ code: 14 }])
  const { server, open: openOther } = testServer()
  const other = openOther('delta')
  await server[Symbol.asyncDispose]()
  expect(other.closed).toMatchObject([{ code: 14 }])
})
