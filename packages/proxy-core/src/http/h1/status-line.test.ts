import { expect, test } from 'vitest'
import { reasonOf, statusLine } from './status-line.js'

test.each([
  [200, 'OK'],
  [203, 'Non-Authoritative Information'],
  [431, 'Request Header Fields Too Large'],
  [599, 'Last Unassigned Server Error Code'],
  [299, 'Unknown'],
  [598, 'Unknown'],
  [600, 'Unknown'],
  [999, 'Unknown'],
])('%i is %s, as Envoy says it', (status, reason) => {
  expect(reasonOf(status)).toBe(reason)
  for (let i = 0; i < 2; i++) expect(statusLine(status)).toBe(`HTTP/1.1 ${status} ${reason}\r\n`)
})
