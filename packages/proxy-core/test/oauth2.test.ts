import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { systemClock } from '@heddle/runtime'
import { beforeEach, describe, expect, it } from 'vitest'
import { createProxy } from '../src/index.js'
import { httpManager, later, listener, routes, staticCluster, TYPES, upstream } from './support.js'

// A browser, our proxy with the OAuth2 filter, an app behind it, and an identity provider, all over HTTP.
const HOST = 'app.example'
const CLIENT = { id: 'app', secret: 'client-secret' }

interface Grant {
  readonly challenge: string
  readonly redirectUri: string
}

/** The provider: whoever comes to /authorize is logged in at once; a code is good once, with its verifier and the client's secret. */
async function startProvider(): Promise<{ port: number; refreshed: number; log: string[] }> {
  const codes = new Map<string, Grant>()
  const provider = { port: 0, refreshed: 0, log: [] as string[] }
  const form = async (incoming: AsyncIterable<unknown>): Promise<URLSearchParams> => {
    let text = ''
    for await (const chunk of incoming) text += String(chunk)
    return new URLSearchParams(text)
  }
  const tokenFor = (asked: URLSearchParams): object | undefined => {
    if (asked.get('client_id') !== CLIENT.id || asked.get('client_secret') !== CLIENT.secret) return undefined
    if (asked.get('grant_type') === 'refresh_token') {
      if (asked.get('refresh_token') !== 'refresh-1') return undefined
      provider.refreshed++
      return { access_token: 'access-2', expires_in: 3600 }
    }
    const grant = codes.get(asked.get('code') ?? '')
    codes.delete(asked.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url')
    if (grant?.challenge !== challenge || grant.redirectUri !== asked.get('redirect_uri')) return undefined
    return { access_token: 'access-1', id_token: 'id-1', refresh_token: 'refresh-1', expires_in: 3600 }
  }
  provider.port = await upstream(async (incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://provider')
    provider.log.push(`${incoming.method} ${url.pathname}`)
    if (url.pathname === '/authorize') {
      const redirectUri = url.searchParams.get('redirect_uri') ?? ''
      const code = `code-${codes.size + 1}`
      codes.set(code, { challenge: url.searchParams.get('code_challenge') ?? '', redirectUri })
      const back = new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' })
      response.writeHead(302, { location: `${redirectUri}?${back}` }).end()
      return
    }
    const token = tokenFor(await form(incoming))
    response.writeHead(token === undefined ? 400 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(token ?? {}))
  })
  return provider
}

interface Visit {
  readonly status: number
  readonly location: string
  readonly body: string
}

/** Keeps cookies, follows nothing by itself. */
function createBrowser(port: number): { visit(path: string): Promise<Visit>; cookies: Map<string, string> } {
  const cookies = new Map<string, string>()
  return {
    cookies,
    visit: (path) =>
      new Promise((resolve, reject) => {
        const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
        const headers = { host: HOST, ...(cookie !== '' && { cookie }) }
        const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
          for (const line of response.headers['set-cookie'] ?? []) keep(cookies, line)
          let body = ''
          response.on('data', (chunk: Buffer) => (body += chunk.toString()))
          response.on('end', () => resolve({ status: response.statusCode ?? 0, location: response.headers.location ?? '', body }))
        })
        outgoing.on('error', reject)
        outgoing.end()
      }),
  }
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const equals = pair.indexOf('=')
  const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
  if (attributes.some((each) => /^expires=Thu, 01 Jan 1970/i.test(each))) cookies.delete(name)
  else {
    expect(attributes).toEqual(expect.arrayContaining(['secure', 'HttpOnly']))
    cookies.set(name, value)
  }
}

async function startProxy(provider: number, app: number): Promise<{ port: number; move(ms: number): void }> {
  let moved = 0
  const secret = (name: string): object => ({ name, sds_config: { ads: {} } })
  const config = {
    token_endpoint: { uri: 'http://provider/token', cluster: 'provider', timeout: '5s' },
    authorization_endpoint: 'http://provider/authorize',
    redirect_uri: `http://%REQ(:authority)%/callback`,
    redirect_path_matcher: { path: { exact: '/callback' } },
    signout_path: { path: { exact: '/signout' } },
    credentials: { client_id: CLIENT.id, token_secret: secret('client'), hmac_secret: secret('hmac') },
    forward_bearer_token: true,
    pass_through_matcher: [{ name: ':path', string_match: { prefix: '/public' } }],
    auth_scopes: ['openid', 'email'],
  }
  const generic = (name: string, text: string): object => ({ name, generic_secret: { secret: { inline_string: text } } })
  const http_filters = [
    { name: 'envoy.filters.http.oauth2', typed_config: { '@type': `${TYPES}.http.oauth2.v3.OAuth2`, config } },
    { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPES}.http.router.v3.Router` } },
  ]
  const route_config = { name: 'local', ...routes([{ match: { prefix: '/' }, route: { cluster: 'app' } }]) }
  const proxy = createProxy({
    bootstrap: {
      node: { id: 'test', cluster: 'test' },
      static_resources: {
        listeners: [listener('in', httpManager({ route_config }, { http_filters }))],
        clusters: [staticCluster('app', [app]), staticCluster('provider', [provider])],
        secrets: [generic('client', CLIENT.secret), generic('hmac', 'hmac-secret')],
      },
    },
    clock: { ...systemClock, now: () => systemClock.now() + moved },
  })
  await proxy.start()
  later(() => proxy.close())
  return { port: proxy.listeners[0]?.address.port ?? 0, move: (ms) => void (moved += ms) }
}

describe('the OAuth2 code flow against an identity provider', () => {
  let provider: Awaited<ReturnType<typeof startProvider>>
  let proxy: Awaited<ReturnType<typeof startProxy>>
  let browser: ReturnType<typeof createBrowser>
  let seen: Record<string, string | string[] | undefined>[]

  beforeEach(async () => {
    seen = []
    const app = await upstream((incoming, response) => {
      seen.push(incoming.headers)
      response.end(`app ${incoming.url}`)
    })
    provider = await startProvider()
    proxy = await startProxy(provider.port, app)
    browser = createBrowser(proxy.port)
  })

  /** To the provider and back, as the redirects say; the callback's answer. */
  async function logIn(path = '/page?x=1'): Promise<Visit> {
    const start = await browser.visit(path)
    return browser.visit(await callbackOf(start))
  }

  async function callbackOf({ status, location }: Visit): Promise<string> {
    expect([status, location.split('?')[0]]).toEqual([302, 'http://provider/authorize'])
    const answer = await fetch(location.replace('http://provider', `http://127.0.0.1:${provider.port}`), { redirect: 'manual' })
    const back = new URL(answer.headers.get('location') ?? '')
    expect(back.host).toBe(HOST)
    return back.pathname + back.search
  }

  it('logs in, keeps the session in cookies, tells the app the token and nothing else', async () => {
    const done = await logIn()
    expect(done).toMatchObject({ status: 302, location: `http://${HOST}/page?x=1` })
    expect([...browser.cookies.keys()].sort()).toEqual(['BearerToken', 'IdToken', 'OauthExpires', 'OauthHMAC', 'RefreshToken'])
    expect([...browser.cookies.values()].join(' ')).not.toContain('access-1')
    expect(await browser.visit('/page?x=1')).toMatchObject({ status: 200, body: 'app /page?x=1' })
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ authorization: 'Bearer access-1' })
    expect(seen[0]?.['cookie']).toBeUndefined()
    expect(provider.log).toEqual(['GET /authorize', 'POST /token'])
  })

  it('a session that has expired is renewed by the refresh token; without it the login begins again', async () => {
    await logIn()
    proxy.move(3_600_001)
    expect(await browser.visit('/a')).toMatchObject({ status: 200 })
    expect([provider.refreshed, seen[0]?.['authorization']]).toEqual([1, 'Bearer access-2'])
    expect(await browser.visit('/b')).toMatchObject({ status: 200 })
    expect(provider.refreshed).toBe(1)
    proxy.move(3_600_001)
    browser.cookies.delete('RefreshToken')
    expect(await browser.visit('/c')).toMatchObject({ status: 302 })
  })

  it.each(['OauthHMAC', 'OauthExpires', 'BearerToken', 'IdToken'])('a session with another %s is none', async (name) => {
    await logIn()
    browser.cookies.delete('RefreshToken')
    const value = browser.cookies.get(name) ?? ''
    browser.cookies.set(
      name,
      name === 'OauthExpires' ? '9999999999' : `${value.slice(0, -2)}${value.endsWith('AA') ? 'BB' : 'AA'}`,
    )
    expect((await browser.visit('/page')).status).toBe(302)
    expect(seen).toHaveLength(0)
  })

  it('a forged state is refused: of another browser, made up, or leading elsewhere', async () => {
    const victim = createBrowser(proxy.port)
    const callback = await callbackOf(await browser.visit('/page'))
    expect(await victim.visit(callback)).toMatchObject({ status: 401, body: 'OAuth flow failed.' })
    const stateOf = (path: string): Record<string, string> =>
      JSON.parse(Buffer.from(new URLSearchParams(path.split('?')[1]).get('state') ?? '', 'base64url').toString()) as Record<
        string,
        string
      >
    const forged = (change: object): string => {
      const state = Buffer.from(JSON.stringify({ ...stateOf(callback), ...change })).toString('base64url')
      return `/callback?${new URLSearchParams({ code: 'code-1', state })}`
    }
    for (const change of [
      { csrf_token: 'a.b' },
      { url: 'http://evil.example/' },
      { url: `http://${HOST}@evil.example/` },
      { url: '//evil.example' },
      { url: `http://${HOST}/callback` },
      { flow_id: '0000000000000000' },
    ])
      expect((await browser.visit(forged(change))).status, JSON.stringify(change)).toBe(401)
    for (const path of [
      '/callback',
      '/callback?code=x',
      '/callback?state=x',
      '/callback?error=access_denied',
      '/callback?code=x&state=bnVsbA',
    ])
      expect((await browser.visit(path)).status, path).toBe(401)
    expect(provider.log).toEqual(['GET /authorize'])
  })

  it('a code is good once, and only with the verifier of its own login', async () => {
    const callback = await callbackOf(await browser.visit('/page'))
    const before = new Map(browser.cookies)
    expect((await browser.visit(callback)).status).toBe(302)
    browser.cookies.clear()
    for (const [name, value] of before) browser.cookies.set(name, value)
    expect((await browser.visit(callback)).status).toBe(401)
  })

  it('signing out ends the session; what passes through needs none', async () => {
    await logIn()
    expect(await browser.visit('/signout')).toMatchObject({ status: 302, location: `http://${HOST}/` })
    expect(browser.cookies.size).toBe(0)
    expect((await browser.visit('/page')).status).toBe(302)
    expect(await browser.visit('/public/x')).toMatchObject({ status: 200, body: 'app /public/x' })
  })
})
