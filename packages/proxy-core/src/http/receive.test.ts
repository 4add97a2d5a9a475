import { expect, test } from 'vitest'
import { stripHost } from './receive.js'

const NOTHING = { stripTrailingHostDot: false, stripAnyHostPort: false, stripMatchingHostPort: false }
const DOT = { ...NOTHING, stripTrailingHostDot: true }

test.each([
  ['w.example.', DOT, 'w.example'],
  ['w.example.:81', DOT, 'w.example:81'],
  ['w.example:81', DOT, 'w.example:81'],
  ['w.example..', DOT, 'w.example.'],
  ['w.example.:', DOT, 'w.example:'],
  ['[::ffff:1.2.3.4]:81', DOT, '[::ffff:1.2.3.4]:81'],
  ['.', DOT, ''],
  ['w.example.', NOTHING, 'w.example.'],
  ['w.example.:81', { ...DOT, stripAnyHostPort: true }, 'w.example'],
  ['w.example:81', { ...NOTHING, stripMatchingHostPort: true }, 'w.example:81'],
  ['w.example:80', { ...NOTHING, stripMatchingHostPort: true }, 'w.example'],
])('%s with %j is %s', (authority, manager, want) => {
  const request = { authority }
  stripHost(request, manager, 80)
  expect(request.authority).toBe(want)
})
