import { createFakeClock, createMemoryLogger, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import type { LocalReply } from '../../http/message.js'
import { createTestIssuer, tampered } from '../../jwt/testing.js'
import type { HttpAnswer, HttpCallOptions, HttpClient, HttpFailure } from '../../upstream/http-client.js'
import { jwtAuthnFilter } from './jwt-authn.js'
import { configured, deps, must, run, stream } from './testing.js'

const NOW = Date.UTC(2026, 0, 1)
const iss = createTestIssuer()
const local = { inline_string: iss.jwks }
const base = { issuer: iss.issuer, local_jwks: local, forward: true }
const required = (provider: object, requires: object = { provider_name: 'p' }): object => ({
  providers: { p: provider },
  rules: [{ match: { prefix: '/' }, requires }],
})
const at = (ms = NOW): ReturnType<typeof deps> => deps({ clock: createFakeClock({ now: ms }) })
const ask = (config: object, headers: Record<string, string>, path = '/'): unknown =>
  run(configured(jwtAuthnFilter, config, at()), stream({ headers, path }))
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const base64 = (text: string): string => Buffer.from(text).toString('base64url')
const body = (reply: unknown): string | undefined => (reply as LocalReply | undefined)?.body

describe('one provider', () => {
  it.each<[string, string, string | undefined]>([
    ['good', iss.token(), undefined],
    ['expired within the skew', iss.token({ exp: NOW / 1000 - 59 }), undefined],
    ['expired', iss.token({ exp: NOW / 1000 - 61 }), 'Jwt is expired'],
    ['early', iss.token({ nbf: NOW / 1000 + 61 }), 'Jwt not yet valid'],
    ['of another issuer', iss.token({ iss: 'https://other.example' }), 'Jwt issuer is not configured'],
    ['forged', tampered(iss.token()), 'Jwt verification fails'],
    ['followed by more', `${iss.token()} xx`, 'Jwt verification fails'],
    ['no base64', `${iss.token()}!`, 'Jwt signature is an invalid Base64url encoded'],
    ['long', `${iss.token()}.x`, 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'],
  ])('a token that is %s', (_, token, want) => expect(body(ask(required(base), bearer(token)))).toBe(want))

  it('answers as Envoy does', () => {
    expect(ask(required(base), {}, '/x?y')).toEqual({
      status: 401,
      body: 'Jwt is missing',
      details: 'jwt_authn_access_denied{Jwt_is_missing}',
      headers: [['www-authenticate', 'Bearer realm="http://apps/x?y"']],
    })
    expect(ask(required({ ...base, audiences: ['a'] }), bearer(iss.token({ aud: 'b' })))).toMatchObject({ status: 403 })
    expect(ask(required({ ...base, audiences: ['https://a/'] }), bearer(iss.token({ aud: ['b', 'a'] })))).toBeUndefined()
  })

  it('CVE-2019-12995: what is no token at all is refused like any other', () => {
    const { length } = iss.token()
    const [header, payload, signature] = iss.token().split('.') as [string, string, string]
    const odd = ['', ' ', '.', '..', '...', 'a', 'a.b.c', '\xff.\xff.\xff', `${header}..`, `${header}.${payload}.`]
    const cut = Array.from({ length }, (_, i) => iss.token().slice(0, i))
    const json = ['null', '[]', '1', '{"alg":1}', '{"alg":"ES256","kid":{}}', '{'].map(base64)
    const swapped = json.flatMap((part) => [`${part}.${payload}.${signature}`, `${header}.${part}.${signature}`])
    for (const token of [...odd, ...cut, ...swapped])
      expect(ask(required(base), bearer(token)), token).toMatchObject({ status: 401 })
  })

  it('CVE-2026-48042: JSON nested without end is no header and no payload', () => {
    const nested = base64(`{"alg":"ES256","kid":"k1","iss":"${iss.issuer}","a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`)
    const [header, payload, signature] = iss.token().split('.')
    expect(body(ask(required(base), bearer(`${nested}.${payload}.${signature}`)))).toContain('header')
    expect(body(ask(required(base), bearer(`${header}.${nested}.${signature}`)))).toContain('payload')
  })

  it('two lines of authorization are one value that no token fits', () => {
    const asked = stream({ headers: bearer(iss.token()) })
    asked.request.headers.append('authorization', `Bearer ${iss.token()}`)
    expect(run(configured(jwtAuthnFilter, required(base), at()), asked)).toMatchObject({ status: 401 })
  })

  it('every token that is found must be good', () => {
    const config = required({ ...base, from_headers: [{ name: 'x-a' }], from_params: ['t'] })
    expect(ask(config, { 'x-a': iss.token() }, `/?t=${iss.token()}`)).toBeUndefined()
    expect(ask(config, { 'x-a': iss.token() }, `/?t=${tampered(iss.token())}`)).toMatchObject({ status: 401 })
    expect(ask(config, { 'x-a': 'x' }, `/?t=${iss.token()}`)).toMatchObject({ status: 401 })
  })
})

describe('what goes upstream', () => {
  it('claims as headers in place of the client s; the token goes, and its parameter', () => {
    const claims = { team: { name: 'blue' }, list: ['a'], map: { b: [{ d: 1, c: 2 }], a: 0 }, n: 5, neg: -1.5, ok: true }
    const config = required({
      ...base,
      forward: false,
      from_params: ['t'],
      forward_payload_header: 'x-payload',
      pad_forward_payload_header: true,
      payload_in_metadata: 'payload',
      claim_to_headers: [
        { header_name: 'X-Team', claim_name: 'team.name' },
        { header_name: 'x-list', claim_name: 'list' },
        { header_name: 'x-map', claim_name: 'map' },
        { header_name: 'x-n', claim_path: [{ key: 'n' }] },
        { header_name: 'x-neg', claim_name: 'neg' },
        { header_name: 'x-none', claim_name: 'none' },
      ],
    })
    const asked = stream({ path: `/a?b=1&t=${iss.token(claims)}&c=2`, headers: { 'x-team': 'spoof', 'x-none': 'spoof' } })
    expect(run(configured(jwtAuthnFilter, config, at()), asked)).toBeUndefined()
    const { headers, path } = asked.request
    expect(path).toBe('/a?b=1&c=2')
    expect([...headers].filter(([name]) => name !== 'x-payload')).toEqual([
      ['x-team', 'blue'],
      ['x-list', 'WyJhIl0='],
      ['x-map', Buffer.from('{"a":0,"b":[{"c":2,"d":1}]}').toString('base64')],
      ['x-n', '5'],
      ['x-neg', '-1.500000'],
    ])
    expect(headers.get('x-payload')!.length % 4).toBe(0)
    expect(asked.info.metadata.get('envoy.filters.http.jwt_authn')).toMatchObject({ payload: { sub: 'ann', ...claims } })
  })
})

describe('headers that only providers may set', () => {
  const own = (name: string) => ({
    forward_payload_header: `x-${name}-payload`,
    claim_to_headers: [{ header_name: `X-${name}-Sub`, claim_name: 'sub' }],
  })
  const providers = { p: { ...base, ...own('p'), from_headers: [{ name: 'x-token' }] }, q: { ...base, ...own('q') } }
  const [p, failed] = [{ provider_name: 'p' }, { allow_missing_or_failed: {} }]
  const route = (config: object): unknown => must(jwtAuthnFilter.decodePerRoute!(config as Record<string, unknown>, ''))
  it.each<[string, object, { path?: string; method?: string; headers?: Record<string, string>; perRoute?: unknown }]>([
    ['no rule', p, { path: '/else' }],
    ['a route without tokens', p, { perRoute: route({ disabled: true }) }],
    ['a preflight', p, { method: 'OPTIONS', headers: { origin: 'http://a', 'access-control-request-method': 'GET' } }],
    ['no token', { allow_missing: {} }, {}],
    ['a token that may fail', { requires_any: { requirements: [p, failed] } }, { headers: { 'x-token': 'x' } }],
    ['a good token', p, { headers: { 'x-token': iss.token() } }],
  ])('clients cannot set those of another provider: %s', (_, requires, { headers = {}, ...rest }) => {
    const spoofed = { 'x-q-sub': 'spoof', 'x-q-payload': 'spoof', 'x-p-sub': 'spoof', 'x-p-payload': 'spoof' }
    const asked = stream({ path: '/in', ...rest, headers: { ...headers, ...spoofed } })
    const config = { providers, rules: [{ match: { prefix: '/in' }, requires }], bypass_cors_preflight: true }
    expect(run(configured(jwtAuthnFilter, config, at()), asked)).toBeUndefined()
    expect([...asked.request.headers].filter(([, value]) => value === 'spoof')).toEqual([])
  })
})

describe('requirements', () => {
  const two = createTestIssuer('https://two.example', 'k2')
  const providers = { p: base, q: { ...base, issuer: two.issuer, local_jwks: { inline_string: two.jwks } } }
  const judged = (requires: object, headers: Record<string, string>): unknown =>
    ask({ providers, rules: [{ match: { prefix: '/' }, requires }] }, headers)
  const lenient = { requires_any: { requirements: [{ provider_name: 'p' }, { allow_missing: {} }] } }

  it('allow_missing lets nothing bad through: ISTIO-SECURITY-2021-001, CVE-2021-21378', () => {
    expect(judged(lenient, {})).toBeUndefined()
    expect(judged(lenient, bearer(iss.token()))).toBeUndefined()
    expect(body(judged(lenient, bearer(two.token())))).toBe('Jwt issuer is not configured')
    expect(
      judged({ requires_any: { requirements: [{ provider_name: 'p' }, { allow_missing_or_failed: {} }] } }, bearer('x')),
    ).toBe(undefined)
  })

  it('any, all and by name', () => {
    const each = [{ provider_name: 'p' }, { provider_name: 'q' }]
    expect(judged({ requires_any: { requirements: each } }, bearer(two.token()))).toBeUndefined()
    expect(judged({ requires_all: { requirements: each } }, bearer(two.token()))).toMatchObject({ status: 401 })
    expect(judged({}, bearer('x'))).toBeUndefined()
  })

  it('allow_missing beside others forgives that all tokens are missing, and nothing else', () => {
    const [p, q] = [{ provider_name: 'p' }, { provider_name: 'q' }]
    const strict = { provider_and_audiences: { provider_name: 'p', audiences: ['another'] } }
    const beside = (part: object, lenient: object = { allow_missing: {} }) => ({
      requires_any: { requirements: [part, lenient] },
    })
    const good = bearer(iss.token())
    expect(judged(beside(strict), good)).toMatchObject({ status: 403 })
    expect(judged(beside({ requires_all: { requirements: [p, q] } }), {})).toBeUndefined()
    expect(judged(beside({ requires_all: { requirements: [p, q] } }), good)).toMatchObject({ status: 401 })
    expect(judged(beside({ requires_any: { requirements: [q, strict] } }), bearer('x'))).toMatchObject({ status: 401 })
    expect(judged(beside(strict, { allow_missing_or_failed: {} }), good)).toBeUndefined()
    expect(judged(beside({ allow_missing: {} }), {})).toBeUndefined()
    expect(judged(beside({ allow_missing: {} }), bearer('x'))).toMatchObject({ status: 401 })
    expect(judged(beside({ allow_missing: {} }, { allow_missing_or_failed: {} }), bearer('x'))).toBeUndefined()
  })

  it('a good token says what it says where another one is wanting; a missing one has no status to keep', () => {
    const own = (name: string) => ({ payload_in_metadata: name, failed_status_in_metadata: 'failed' })
    const providers = {
      p: { ...base, ...own('p'), from_headers: [{ name: 'x-p' }] },
      q: { ...base, ...own('q'), issuer: two.issuer, local_jwks: { inline_string: two.jwks }, from_headers: [{ name: 'x-q' }] },
    }
    const requires = { requires_all: { requirements: [{ provider_name: 'p' }, { provider_name: 'q' }] } }
    const config = { providers, rules: [{ match: { prefix: '/' }, requires }] }
    const kept = (headers: Record<string, string>): unknown => {
      const asked = stream({ headers })
      expect(run(configured(jwtAuthnFilter, config, at()), asked)).toMatchObject({ status: 401 })
      return asked.info.metadata.get('envoy.filters.http.jwt_authn')
    }
    expect(kept({ 'x-p': iss.token() })).toEqual({ p: expect.objectContaining({ sub: 'ann' }) })
    expect(kept({ 'x-p': iss.token(), 'x-q': tampered(two.token()) })).toMatchObject({ p: {}, failed: {} })
    expect(kept({})).toBeUndefined()
  })

  it('a route that asks for what is not there is told what there is', () => {
    const perRoute = must(jwtAuthnFilter.decodePerRoute!({ requirement_name: 'x' }, ''))
    const config = { providers, requirement_map: { q: { provider_name: 'q' }, p: { provider_name: 'p' } } }
    expect(body(run(configured(jwtAuthnFilter, config, at()), stream({ perRoute })))).toContain('one of [p,q]')
  })

  it('what is not there is a NACK that names it', () => {
    const decode = (config: object): unknown => jwtAuthnFilter.decode(config as Record<string, unknown>, 'c').diagnostics
    expect(decode({ rules: [{ match: { prefix: '/' }, requires: { provider_name: 'x' } }] })).toMatchObject([
      { path: 'c.rules[0].requires', message: 'there is no provider "x".' },
    ])
    expect(decode({ providers: { p: { ...base, extra: 1 } } })).toMatchObject([{ path: 'c.providers["p"].extra' }])
  })
})

describe('remote keys', () => {
  function keys(answers: (HttpAnswer | HttpFailure)[]): HttpClient & { asked: HttpCallOptions[] } {
    const asked: HttpCallOptions[] = []
    const call: HttpClient['call'] = (options) => {
      asked.push(options)
      return { done: Promise.resolve(answers.shift() ?? { failure: 'no answer' }), cancel() {} }
    }
    return { asked, call }
  }
  const good = (text = iss.jwks, status = 200): HttpAnswer => ({ status, headers: createHeaderMap(), body: Buffer.from(text) })
  const remote = {
    issuer: iss.issuer,
    remote_jwks: { http_uri: { uri: 'https://keys.example//x?y', cluster: 'keys', timeout: '1s' }, cache_duration: '60s' },
  }

  it('one fetch serves all who wait, and its keys until they are old', async () => {
    const http = keys([good(), good()])
    const clock = createFakeClock({ now: NOW })
    const create = configured(jwtAuthnFilter, required(remote), deps({ clock, http }))
    const ask = (): unknown => run(create, stream({ headers: bearer(iss.token()) }))
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([undefined, undefined, undefined])
    const to = { cluster: 'keys', authority: 'keys.example', path: '//x?y', timeoutMs: 1000 }
    expect(http.asked).toMatchObject([{ ...to, headers: [['user-agent', 'Go-browser']], forwardedFor: true }])
    expect(ask()).toBeUndefined()
    clock.advance(60_000)
    expect(await ask()).toBeUndefined()
    expect(http.asked).toHaveLength(2)
  })

  it.each<[string, HttpAnswer | HttpFailure]>([
    ['no answer', { failure: 'down' }],
    ['no JSON', good('x')],
    ['a redirect', good(iss.jwks, 302)],
  ])('CVE-2026-31837: %s fails closed', async (_, answer) => {
    const create = configured(
      jwtAuthnFilter,
      required(remote),
      deps({ clock: createFakeClock({ now: NOW }), http: keys([answer]) }),
    )
    const reply = await run(create, stream({ headers: bearer(iss.token()) }))
    expect(reply).toMatchObject({ status: 401, body: 'Jwks remote fetch is failed' })
  })

  it('CVE-2024-45809: a token that asks for a new route is judged once its keys have come, and the route is asked for then', async () => {
    let cleared = 0
    const config = { ...remote, clear_route_cache: true, claim_to_headers: [{ header_name: 'x-sub', claim_name: 'sub' }] }
    const create = configured(
      jwtAuthnFilter,
      required(config),
      deps({ clock: createFakeClock({ now: NOW }), http: keys([good()]) }),
    )
    const asked = { ...stream({ headers: bearer(iss.token()) }), clearRoute: () => void cleared++ }
    const judged = run(create, asked)
    expect(cleared).toBe(0)
    expect(await judged).toBeUndefined()
    expect(cleared).toBe(1)
    expect(asked.request.headers.get('x-sub')).toBe('ann')
  })

  it.each<[string, object, number]>([
    ['max_interval', { retry_back_off: { base_interval: '0.02s', max_interval: '0.05s' } }, 50],
    ['ten times base_interval', { retry_back_off: { base_interval: '0.02s' } }, 200],
    ['the time of all', {}, 1000],
  ])('each attempt of several has %s', async (_, retry_policy, timeoutMs) => {
    const http = keys([{ failure: 'down' }, good()])
    const clock = createFakeClock({ now: NOW })
    const { remote_jwks } = remote
    const config = required({ ...remote, remote_jwks: { ...remote_jwks, retry_policy } })
    const judged = run(configured(jwtAuthnFilter, config, deps({ clock, http })), stream({ headers: bearer(iss.token()) }))
    await clock.advanceAsync(900)
    expect(await judged).toBeUndefined()
    expect(http.asked.map((call) => call.timeoutMs)).toEqual([timeoutMs, expect.any(Number)])
  })

  it('CVE-2025-64527: a malformed token asks for no keys', () => {
    const http = keys([])
    const create = configured(jwtAuthnFilter, required(remote), deps({ clock: createFakeClock({ now: NOW }), http }))
    expect(run(create, stream({ headers: bearer('a.b.c') }))).toMatchObject({ status: 401 })
    expect(http.asked).toHaveLength(0)
  })
})

it('a rehearsal lets pass what fails, and tells it', () => {
  const logger = createMemoryLogger()
  const requires = { requires_any: { requirements: [{ provider_name: 'p' }, { allow_missing_or_failed: {} }] } }
  const asked = stream({ headers: bearer(tampered(iss.token())) })
  const config = required({ ...base, failed_status_in_metadata: 'dry' }, requires)
  expect(run(configured(jwtAuthnFilter, config, deps({ clock: createFakeClock({ now: NOW }), logger })), asked)).toBeUndefined()
  expect(asked.info.metadata.get('envoy.filters.http.jwt_authn')).toEqual({
    dry: { code: 26, message: 'Jwt verification fails' },
  })
  expect(JSON.stringify(logger.entries)).toContain('Jwt verification fails')
  expect(logger.entries[0]).toMatchObject({ fields: { provider: 'p' } })
})

it('explain tells what the filter would do, and leaves the claims to the filters after it', () => {
  const config = must(jwtAuthnFilter.decode(required({ ...base, payload_in_metadata: 'payload' }) as Record<string, unknown>, ''))
  const explained = (headers: Record<string, string>): unknown => {
    const { request } = stream({ headers })
    const metadata = new Map<string, Record<string, unknown>>()
    const facts = { source: { address: '1.1.1.1', port: 1 }, directSource: { address: '1.1.1.1', port: 1 } }
    const connection = {
      ...facts,
      destination: { address: '2.2.2.2', port: 2 },
      transportProtocol: 'raw_buffer' as const,
      applicationProtocols: [],
    }
    const question = {
      head: request,
      facts: connection,
      client: '1.1.1.1',
      perRoute: undefined,
      perRouteConfigs: [],
      metadata,
      random: createSeededRandom(1),
    }
    return [jwtAuthnFilter.explain!(config, { ...question, clock: createFakeClock({ now: NOW }) })?.outcome, metadata.size]
  }
  expect(explained(bearer(iss.token()))).toEqual(['pass', 1])
  expect(explained({})).toEqual(['reply', 0])
})
