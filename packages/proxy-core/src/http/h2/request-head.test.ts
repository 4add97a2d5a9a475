import { expect, it } from 'vitest'
import { headerField } from './header-field.js'
import { MessageHead } from './message-head.js'
import { problemOfRequest } from './request-head.js'

const HEAD: Readonly<Record<string, string>> = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'a' }

function problemOf(fields: Readonly<Record<string, string>>, endStream = true): { problem: string; te: string | undefined } {
  const head = new MessageHead({ maxBytes: 1000, maxHeaders: 100 })
  for (const [name, value] of Object.entries({ ...HEAD, ...fields })) head.take(headerField(name, value))
  head.finish()
  return { problem: problemOfRequest(head, false, endStream), te: head.headers.get('te') }
}

it.each([
  ['a plain head', {}, ''],
  ['an empty method', { ':method': '' }, 'http2.invalid.header.field'],
  ['an empty authority', { ':authority': '' }, 'http2.invalid.header.field'],
  ['a path with octets that are no ASCII', { ':path': '/\u00c3\u00a9' }, ''],
  ['a path with DEL', { ':path': '/\u007f' }, 'http2.invalid.header.field'],
  ['a body that was told of and does not come', { 'content-length': '5' }, 'http2.violation.of.messaging.rule'],
  ['te: gzip', { te: 'gzip' }, 'http2.invalid.header.field'],
])('%s, in the words of Envoy', (_, fields, problem) => {
  expect(problemOf(fields).problem).toBe(problem)
})

it('a length is for the body to keep where one follows', () => {
  expect(problemOf({ 'content-length': '5' }, false).problem).toBe('')
})

it('te may be written in capitals, and is passed on only as the standard has it', () => {
  expect(problemOf({ te: 'Trailers' })).toEqual({ problem: '', te: undefined })
  expect(problemOf({ te: 'trailers' })).toEqual({ problem: '', te: 'trailers' })
})
