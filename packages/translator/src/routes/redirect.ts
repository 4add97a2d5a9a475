import type { HTTPDirectResponse, HTTPRedirect } from '@heddle/config-model'
import type { DirectResponseAction, RedirectAction } from '@heddle/xds-types/envoy/config/route/v3'
import { defined } from '../message.js'

// MOVED_PERMANENTLY (301) is the enum's zero: proto JSON leaves it out.
const CODES: Readonly<Record<number, RedirectAction['response_code']>> = {
  302: 'FOUND',
  303: 'SEE_OTHER',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
}

/** `path_redirect` is always written, also ''. Ports that a scheme implies are dropped. */
export function redirectAction(redirect: HTTPRedirect, listenPort: number, tls: boolean): RedirectAction {
  const scheme = redirect.scheme === undefined || redirect.scheme === '' ? (tls ? 'https' : 'http') : redirect.scheme
  const port = redirect.derivePort === 'FROM_REQUEST_PORT' ? listenPort : (redirect.port ?? 0)
  const implied = port === 0 || (port === 80 && scheme === 'http') || (port === 443 && scheme === 'https')
  return defined({
    host_redirect: redirect.authority || undefined,
    ...(redirect.prefixRewrite === undefined
      ? { path_redirect: redirect.uri ?? '' }
      : { prefix_rewrite: redirect.prefixRewrite }),
    scheme_redirect: redirect.scheme || undefined,
    port_redirect: implied ? undefined : port,
    response_code: CODES[redirect.redirectCode ?? 301],
  })
}

export function directResponseAction(response: HTTPDirectResponse): DirectResponseAction {
  const { body } = response
  if (body === undefined) return { status: response.status }
  return { status: response.status, body: 'string' in body ? { inline_string: body.string } : { inline_bytes: body.bytes } }
}
