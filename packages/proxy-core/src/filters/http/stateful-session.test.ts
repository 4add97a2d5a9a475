import { describe, expect, it } from 'vitest'
import { statefulSessionFilter } from './stateful-session.js'
import { deps, must, response, stream } from './testing.js'

const TYPES = 'type.googleapis.com/envoy.extensions.http.stateful_session'
const cookie = { '@type': `${TYPES}.cookie.v3.CookieBasedSessionState`, cookie: { name: 'sess', path: '/s', ttl: '120s' } }
const header = { '@type': `${TYPES}.header.v3.HeaderBasedSessionState`, name: 'x-session' }
const HOST = { address: { address: '10.0.0.7', port: 8080 } }

function session(typed_config: object, more: object = {}) {
  const config = must(statefulSessionFilter.decode({ session_state: { name: 's', typed_config }, ...more }, 'c'))
  const own = deps()
  const create = statefulSessionFilter.create(config, own, 'session')
  return {
    clock: own.clock,
    /** What a request is sent to, and what its answer says. */
    turn(headers: Record<string, string>, path = '/s/x', perRoute?: unknown) {
      const asked = stream({ headers, path, perRoute })
      const filter = create(asked)
      void filter.onRequest?.(asked.request, asked)
      Object.assign(asked.info, { endpoint: HOST })
      const answer = response()
      void filter.onResponse?.(answer, asked)
      return { override: asked.info.overrideHost, headers: answer.headers }
    },
  }
}

describe('a session in a cookie', () => {
  it('is told once, and leads back', () => {
    const { turn } = session(cookie)
    const first = turn({})
    expect(first.override).toBeUndefined()
    const set = first.headers.get('set-cookie') ?? ''
    expect(set).toMatch(/^sess="[A-Za-z0-9+/=]+"; Max-Age=120; Path=\/s; HttpOnly$/)
    const again = turn({ cookie: `a=b; ${set.split(';')[0]}` })
    expect(again.override).toEqual({ address: '10.0.0.7:8080', strict: false })
    expect(again.headers.has('set-cookie')).toBe(false)
  })

  it('ends with its time, and is not for other paths', () => {
    const { turn, clock } = session(cookie)
    const set = turn({}).headers.get('set-cookie')?.split(';')[0] ?? ''
    expect(turn({ cookie: set }, '/sx').override).toBeUndefined()
    expect(turn({}, '/other').headers.has('set-cookie')).toBe(false)
    ;(clock as { advance?(ms: number): void }).advance?.(121_000)
    expect(turn({ cookie: set }).override).toBeUndefined()
  })

  it('of an older Envoy holds the bare address; anything else is none', () => {
    const { turn } = session(cookie, { strict: true })
    const plain = Buffer.from('10.0.0.9:80').toString('base64')
    expect(turn({ cookie: `sess=${plain}` }).override).toEqual({ address: '10.0.0.9:80', strict: true })
    for (const value of [
      '',
      '????',
      Buffer.from('not an address').toString('base64'),
      Buffer.from([10, 200, 1]).toString('base64'),
    ])
      expect(turn({ cookie: `sess=${value}` }).override).toBeUndefined()
  })

  it('may be off for a route', () => {
    const off = must(statefulSessionFilter.decodePerRoute!({ disabled: true }, 'c'))
    expect(session(cookie).turn({}, '/s', off).headers.has('set-cookie')).toBe(false)
  })
})

it('a session in a header', () => {
  const { turn } = session(header)
  const value = turn({}).headers.get('x-session') ?? ''
  expect(Buffer.from(value, 'base64').toString()).toBe('10.0.0.7:8080')
  expect(turn({ 'x-session': value }).override?.address).toBe('10.0.0.7:8080')
})

it('another state is refused by its type', () => {
  const typed_config = { '@type': `${TYPES}.envelope.v3.EnvelopeSessionState` }
  const decoded = statefulSessionFilter.decode({ session_state: { name: 's', typed_config } }, 'c')
  expect(decoded.ok).toBe(false)
  expect(JSON.stringify(decoded.diagnostics)).toContain('EnvelopeSessionState')
})

it.each([
  [Buffer.from('10.0.0.9:80').toString('base64'), '10.0.0.9:80'],
  [Buffer.from('hello').toString('base64'), 'hello'],
  ['???', undefined],
  ['aGVsbG8', undefined],
  ['', undefined],
])('a strict session in a header that says %j is of %s', (value, address) => {
  const { override } = session(header, { strict: true }).turn({ 'x-session': value })
  expect(override).toEqual(address && { address, strict: true })
})
