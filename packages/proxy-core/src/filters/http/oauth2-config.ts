import type { Watch } from '@heddle/runtime'
import type {
  OAuth2,
  OAuth2Config as OAuth2ConfigProto,
  OAuth2Credentials,
} from '@heddle/xds-types/envoy/extensions/filters/http/oauth2/v3'
import type { PathMatcher } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { CompileDeps, Secret } from '../../config/compiled.js'
import type { Fields } from '../../config/fields.js'
import { compileHttpUri, type HttpUri } from '../../config/grpc-service.js'
import { secretName } from '../../config/tls-secrets.js'
import { compileHeaderMatcher, type HeaderMatcher } from '../../matcher/header.js'
import { compileStringMatcher, NEVER, type StringMatcher } from '../../matcher/string.js'
import { compileTextFormat, type LogFormatter } from '../../observe/log-format.js'

export interface CookieNames {
  readonly token: string
  readonly hmac: string
  readonly expires: string
  readonly idToken: string
  readonly refreshToken: string
  readonly nonce: string
  readonly verifier: string
}

/** OAuth2Config, compiled. */
export interface OAuth2Config {
  readonly tokenEndpoint: HttpUri | undefined
  readonly authorizationEndpoint: string
  readonly clientId: string
  readonly clientSecret: Watch<Secret | undefined> | undefined
  readonly hmacSecret: Watch<Secret | undefined> | undefined
  readonly cookieDomain: string
  readonly cookies: CookieNames
  readonly redirectUri: LogFormatter
  readonly redirectPath: StringMatcher
  readonly signoutPath: StringMatcher
  readonly forwardBearer: boolean
  readonly preserveAuthorization: boolean
  readonly passThrough: readonly HeaderMatcher[]
  readonly denyRedirect: readonly HeaderMatcher[]
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
  readonly basicAuth: boolean
  readonly useRefreshToken: boolean
  /** Seconds. */
  readonly expiresIn: number
  readonly refreshExpiresIn: number
  readonly csrfExpiresIn: number
  readonly idTokenCookie: boolean
  readonly encrypted: boolean
}

const WEEK_S = 604_800
const CSRF_S = 600

/** Undefined: without a config of its own the filter does nothing, as on routes that have none. */
export function compileOAuth2(fields: Fields<OAuth2>, deps: CompileDeps | undefined): OAuth2Config | undefined {
  const config = fields.message('config')
  const compiled = config && compileConfig(config, deps)
  fields.done()
  return compiled
}

function compileConfig(fields: Fields<OAuth2ConfigProto>, deps: CompileDeps | undefined): OAuth2Config {
  const token = fields.message('token_endpoint')
  const credentials = fields.message('credentials')
  if (token === undefined) fields.problem('is required.', 'token_endpoint')
  if (credentials === undefined) fields.problem('is required.', 'credentials')
  const text = fields.string('redirect_uri')
  const redirectUri = fields.take(compileTextFormat(text, `${fields.path}.redirect_uri`, { omitEmptyValues: true }))
  const scopes = fields.strings('auth_scopes')
  const config: OAuth2Config = {
    tokenEndpoint: token && compileHttpUri(token),
    authorizationEndpoint: fields.string('authorization_endpoint'),
    ...compileCredentials(credentials, deps),
    redirectUri: redirectUri ?? (() => text),
    redirectPath: compilePath(fields.message('redirect_path_matcher')),
    signoutPath: compilePath(fields.message('signout_path')),
    forwardBearer: fields.boolean('forward_bearer_token'),
    preserveAuthorization: fields.boolean('preserve_authorization_header'),
    passThrough: fields.messages('pass_through_matcher').map(compileHeaderMatcher),
    denyRedirect: fields.messages('deny_redirect_matcher').map(compileHeaderMatcher),
    scopes: scopes.length === 0 ? ['user'] : scopes,
    resources: fields.strings('resources'),
    basicAuth: fields.choice('auth_type', ['URL_ENCODED_BODY', 'BASIC_AUTH'], 'URL_ENCODED_BODY') === 'BASIC_AUTH',
    useRefreshToken: fields.boolean('use_refresh_token', true),
    expiresIn: fields.durationMs('default_expires_in', 0) / 1000,
    refreshExpiresIn: fields.durationMs('default_refresh_token_expires_in', WEEK_S * 1000) / 1000,
    csrfExpiresIn: fields.durationMs('csrf_token_expires_in', CSRF_S * 1000) / 1000,
    idTokenCookie: !fields.boolean('disable_id_token_set_cookie'),
    encrypted: !fields.boolean('disable_token_encryption'),
  }
  fields.done({ stat_prefix: 'names statistics' })
  for (const name of ['authorization_endpoint', 'redirect_uri', 'redirect_path_matcher', 'signout_path'] as const)
    if (!fields.has(name)) fields.problem('is required.', name)
  return config
}

type Credentials = Pick<OAuth2Config, 'clientId' | 'clientSecret' | 'hmacSecret' | 'cookieDomain' | 'cookies'>

function compileCredentials(fields: Fields<OAuth2Credentials> | undefined, deps: CompileDeps | undefined): Credentials {
  const names = fields?.message('cookie_names')
  const secret = (field: 'token_secret' | 'hmac_secret'): Watch<Secret | undefined> | undefined => {
    const config = fields?.message(field)
    if (config === undefined) fields?.problem('is required.', field)
    return config && deps?.secrets.watch(secretName(config))
  }
  const credentials: Credentials = {
    clientId: fields?.string('client_id') ?? '',
    clientSecret: secret('token_secret'),
    hmacSecret: secret('hmac_secret'),
    cookieDomain: fields?.string('cookie_domain') ?? '',
    cookies: {
      token: names?.string('bearer_token') || 'BearerToken',
      hmac: names?.string('oauth_hmac') || 'OauthHMAC',
      expires: names?.string('oauth_expires') || 'OauthExpires',
      idToken: names?.string('id_token') || 'IdToken',
      refreshToken: names?.string('refresh_token') || 'RefreshToken',
      nonce: names?.string('oauth_nonce') || 'OauthNonce',
      verifier: names?.string('code_verifier') || 'CodeVerifier',
    },
  }
  names?.done()
  fields?.done()
  return credentials
}

function compilePath(fields: Fields<PathMatcher> | undefined): StringMatcher {
  const path = fields?.message('path')
  const matcher = path === undefined ? NEVER : compileStringMatcher(path)
  fields?.done()
  return matcher
}
