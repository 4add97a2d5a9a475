import type { OAuth2 } from '@heddle/xds-types/envoy/extensions/filters/http/oauth2/v3'
import { compileMessage } from '../../config/fields.js'
import { cookieValue } from '../../http/cookies.js'
import type { FilterDeps, HttpFilter, HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { HttpRequest, LocalReply } from '../../http/message.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import { pathOnly } from '../../route/match.js'
import { compileOAuth2, type OAuth2Config } from './oauth2-config.js'
import {
  codeChallenge,
  createCodeVerifier,
  createCsrfToken,
  createFlowId,
  decryptText,
  encryptText,
  isCsrfToken,
  sameText,
} from './oauth2-crypto.js'
import {
  dropCookies,
  hideCookies,
  readRefreshToken,
  readSession,
  type Secrets,
  sessionCookies,
  setCookie,
  type Tokens,
} from './oauth2-session.js'
import { type Grant, requestTokens } from './oauth2-tokens.js'

interface FilterConfig {
  readonly own: OAuth2Config | undefined
}

/** envoy.filters.http.oauth2: logs users in by the authorization code flow with PKCE, and keeps the session in signed cookies. */
export const oauth2Filter: HttpFilterFactory<FilterConfig> = {
  typeNames: ['envoy.extensions.filters.http.oauth2.v3.OAuth2'],
  decode: (config, path, deps) => compileMessage(config as OAuth2, path, (fields) => ({ own: compileOAuth2(fields, deps) })),
  create: ({ own }, deps) => (own === undefined ? () => ({}) : (stream) => createFilter({ config: own, deps, stream })),
  explain({ own }, { head }) {
    if (own === undefined || own.passThrough.some((matcher) => matcher.matches(head))) return undefined
    return { outcome: 'maybe', reason: 'a session is asked for; who has none is sent to log in' }
  },
}

interface Login {
  readonly config: OAuth2Config
  readonly deps: FilterDeps
  readonly stream: HttpStream
}

function createFilter(login: Login): HttpFilter {
  const { config, deps } = login
  let renewed: readonly (readonly [string, string])[] = []
  return {
    onRequest(request) {
      if (config.passThrough.some((matcher) => matcher.matches(request))) {
        counter(login, 'passthrough')
        return undefined
      }
      const [client, hmac] = [config.clientSecret?.current?.generic, config.hmacSecret?.current?.generic]
      if (client === undefined || hmac === undefined)
        return { status: 503, body: 'Service Unavailable', details: 'oauth.no_secrets' }
      if (!config.preserveAuthorization) request.headers.delete('authorization')
      const secrets: Secrets = { client, hmac }
      const path = pathOnly(request.path)
      if (config.signoutPath.matches(path)) return signOut(login, request)
      const session = readSession(config, request, secrets, deps.clock.now())
      if (session?.expired === false) {
        if (config.redirectPath.matches(path)) return backToStart(login, request)
        admit(login, request, session.access)
        return undefined
      }
      if (config.redirectPath.matches(path)) return callBack(login, request, secrets)
      const refresh = config.useRefreshToken ? readRefreshToken(config, request, secrets) : undefined
      if (refresh === undefined) return sendToLogin(login, request, secrets)
      return renew(login, request, secrets, { access: '', id: session?.id ?? '', refresh }).then((lines) => {
        if (!('status' in lines)) renewed = lines
        return 'status' in lines ? lines : undefined
      })
    },
    onResponse({ headers }) {
      for (const [name, value] of renewed) headers.append(name, value)
    },
  }
}

function counter({ deps: { stats, statPrefix = '' } }: Login, name: string): void {
  httpFilterCounter(stats, statPrefix, 'oauth')(name).inc()
}

function admit({ config }: Login, request: HttpRequest, access: string): void {
  hideCookies(request.headers, Object.values(config.cookies))
  if (config.forwardBearer && access !== '') request.headers.set('authorization', `Bearer ${access}`)
}

function redirect(location: string, details: string, cookies: readonly (readonly [string, string])[]): LocalReply {
  return { status: 302, body: '', details, headers: [['location', location], ...cookies] }
}

function refused(login: Login, why: string): LocalReply {
  counter(login, 'failure')
  login.deps.logger.info({ why, client: login.stream.info.downstreamRemote }, 'oauth2: the login failed')
  const { nonce, verifier } = login.config.cookies
  const headers = dropCookies(login.config, [nonce, verifier])
  return { status: 401, body: 'OAuth flow failed.', details: 'oauth.failed', headers }
}

function signOut({ config }: Login, { scheme, authority }: HttpRequest): LocalReply {
  return redirect(`${scheme}://${authority}/`, 'oauth.sign_out', dropCookies(config, Object.values(config.cookies)))
}

interface State {
  readonly url: string
  readonly csrf: string
  readonly flow: string
}

/** The beginning: to the provider, with a state that only this browser can bring back. */
function sendToLogin(login: Login, request: HttpRequest, { hmac }: Secrets): LocalReply {
  const { config, stream } = login
  if (config.denyRedirect.some((matcher) => matcher.matches(request))) return refused(login, 'this request may not be redirected')
  counter(login, 'unauthorized_rq')
  const [csrf, flow, verifier] = [createCsrfToken(hmac), createFlowId(), createCodeVerifier()]
  const url = `${request.scheme}://${request.authority}${request.path}`
  const state = Buffer.from(JSON.stringify({ url, csrf_token: csrf, flow_id: flow })).toString('base64url')
  const query = new URLSearchParams({
    client_id: config.clientId,
    code_challenge: codeChallenge(verifier),
    code_challenge_method: 'S256',
    redirect_uri: config.redirectUri({ info: stream.info, requestHeaders: request.headers }),
    response_type: 'code',
    scope: config.scopes.join(' '),
    state,
  })
  for (const resource of config.resources) query.append('resource', resource)
  const { nonce, verifier: verifierCookie } = config.cookies
  const joint = config.authorizationEndpoint.includes('?') ? '&' : '?'
  return redirect(`${config.authorizationEndpoint}${joint}${query.toString()}`, 'oauth.missing_credentials', [
    setCookie(config, `${nonce}.${flow}`, csrf, config.csrfExpiresIn),
    setCookie(config, `${verifierCookie}.${flow}`, encryptText(hmac, verifier), config.csrfExpiresIn),
  ])
}

/** The provider has sent the user back. The state must be the one that this browser was given, and lead back to this host. */
async function callBack(login: Login, request: HttpRequest, secrets: Secrets): Promise<LocalReply> {
  const { config, deps, stream } = login
  const query = new URLSearchParams(request.path.slice(request.path.indexOf('?') + 1))
  if (query.has('error')) return refused(login, `the provider says ${query.get('error')}`)
  const [code, state] = [query.get('code') ?? '', readState(query.get('state') ?? '')]
  if (code === '' || state === undefined) return refused(login, 'the answer lacks a code or a state')
  const { headers } = request
  const csrf = cookieValue(headers, `${config.cookies.nonce}.${state.flow}`) ?? ''
  if (!sameText(csrf, state.csrf) || !isCsrfToken(secrets.hmac, csrf)) return refused(login, 'the state is not of this browser')
  if (!leadsBack(state.url, request, config)) return refused(login, 'the state leads elsewhere')
  const sealed = cookieValue(headers, `${config.cookies.verifier}.${state.flow}`) ?? ''
  const verifier = decryptText(secrets.hmac, sealed)
  if (verifier === undefined) return refused(login, 'the code verifier is missing')
  const parameters = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: config.redirectUri({ info: stream.info, requestHeaders: headers }),
    code_verifier: verifier,
  }
  const grant = await requestTokens(config, secrets, parameters, deps.http)
  if (typeof grant === 'string') return refused(login, grant)
  counter(login, 'success')
  return redirect(state.url, 'oauth.logged_in', [
    ...cookiesOf(login, request, secrets, grant),
    ...dropCookies(config, [`${config.cookies.nonce}.${state.flow}`, `${config.cookies.verifier}.${state.flow}`]),
  ])
}

function cookiesOf(
  { config, deps }: Login,
  request: HttpRequest,
  secrets: Secrets,
  grant: Grant,
): readonly (readonly [string, string])[] {
  return sessionCookies(config, request, grant, secrets, grant.expiresIn, deps.clock.now())
}

function readState(text: string): State | undefined {
  try {
    const json = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Readonly<Record<string, unknown>> | null
    const { url, csrf_token: csrf, flow_id: flow } = json ?? {}
    return typeof url === 'string' && typeof csrf === 'string' && typeof flow === 'string' && /^[0-9a-f]{16}$/.test(flow)
      ? { url, csrf, flow }
      : undefined
  } catch {
    return undefined
  }
}

/** To this host and no other: a login must not become an open redirect. Nor to the callback itself, which would go round. */
function leadsBack(url: string, { authority }: HttpRequest, { redirectPath }: OAuth2Config): boolean {
  const [, host, path = ''] = /^https?:\/\/([^/?#\\]+)(\/[^\r\n]*)$/.exec(url) ?? []
  return host === authority && !redirectPath.matches(pathOnly(path))
}

/** Logged in already, in another tab. */
function backToStart(login: Login, request: HttpRequest): LocalReply {
  const state = readState(new URLSearchParams(request.path.slice(request.path.indexOf('?') + 1)).get('state') ?? '')
  if (state === undefined || !leadsBack(state.url, request, login.config)) return refused(login, 'the state leads elsewhere')
  return redirect(state.url, 'oauth.race_redirect', [])
}

/** The session has ended, the refresh token has not: the request goes on, and its answer brings the new cookies. */
async function renew(
  login: Login,
  request: HttpRequest,
  secrets: Secrets,
  old: Tokens,
): Promise<LocalReply | readonly (readonly [string, string])[]> {
  const grant = await requestTokens(
    login.config,
    secrets,
    { grant_type: 'refresh_token', refresh_token: old.refresh },
    login.deps.http,
  )
  if (typeof grant === 'string') {
    counter(login, 'refreshtoken_failure')
    return sendToLogin(login, request, secrets)
  }
  counter(login, 'refreshtoken_success')
  const whole = { ...grant, id: grant.id || old.id, refresh: grant.refresh || old.refresh }
  const cookies = cookiesOf(login, request, secrets, whole)
  admit(login, request, grant.access)
  return cookies
}
