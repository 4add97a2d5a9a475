import type { HttpRequest, HttpResponse } from './message.js'

/** The answer lets the conversation begin that the request asked for: an upgrade by 101, a tunnel by any 2xx (RFC 9110 §9.3.6). */
export function isAgreed({ upgrade }: Pick<HttpRequest, 'upgrade'>, { status }: Pick<HttpResponse, 'status'>): boolean {
  if (upgrade === undefined) return false
  return status === 101 || (upgrade === 'connect' && status >= 200 && status < 300)
}
