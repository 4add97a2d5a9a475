import type { HttpClient } from '../../upstream/http-client.js'
import type { OAuth2Config } from './oauth2-config.js'
import type { Secrets, Tokens } from './oauth2-session.js'

export interface Grant extends Tokens {
  readonly expiresIn: number
}

const FORM = 'application/x-www-form-urlencoded'

/** Asks the token endpoint (RFC 6749 §4.1.3, §6). A text: why there are no tokens, for operators. */
export async function requestTokens(
  config: OAuth2Config,
  secrets: Secrets,
  parameters: Readonly<Record<string, string>>,
  http: HttpClient | undefined,
): Promise<Grant | string> {
  const { tokenEndpoint, clientId, basicAuth } = config
  if (http === undefined || tokenEndpoint === undefined) return 'there is no network'
  const own = basicAuth ? {} : { client_id: clientId, client_secret: secrets.client }
  const body = Buffer.from(new URLSearchParams({ ...parameters, ...own }).toString())
  const credentials = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secrets.client)}`).toString('base64')
  const headers: [string, string][] = [
    ['content-type', FORM],
    ['accept', 'application/json'],
    ['content-length', String(body.length)],
    ...(basicAuth ? [['authorization', `Basic ${credentials}`] as [string, string]] : []),
  ]
  const answer = await http.call({ ...tokenEndpoint, method: 'POST', headers, body }).done
  if ('failure' in answer) return answer.failure
  if (answer.status !== 200) return `the token endpoint answered ${answer.status}`
  return grantIn(Buffer.from(answer.body).toString('utf8'), config)
}

function grantIn(text: string, config: OAuth2Config): Grant | string {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return 'the token endpoint answered no JSON'
  }
  const fields = (typeof json === 'object' && json !== null ? json : {}) as Readonly<Record<string, unknown>>
  const textOf = (name: string): string => (typeof fields[name] === 'string' ? fields[name] : '')
  const given = Number(fields['expires_in'] ?? 0)
  const expiresIn = Number.isFinite(given) && given > 0 ? Math.floor(given) : config.expiresIn
  if (textOf('access_token') === '') return 'the token endpoint gave no access token'
  if (expiresIn <= 0) return 'the token endpoint does not say when the token expires, and there is no default_expires_in'
  return { access: textOf('access_token'), id: textOf('id_token'), refresh: textOf('refresh_token'), expiresIn }
}
