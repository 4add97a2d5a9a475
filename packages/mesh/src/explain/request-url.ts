import { fail, ok, problem, type Result } from '@heddle/runtime'

/** The parts of a URL, kept as written: a URL parser would change the path. */
export interface RequestUrl {
  readonly scheme: 'http' | 'https'
  /** `host` or `host:port`. */
  readonly authority: string
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  readonly path: string
}

const PORTS = { http: '80', https: '443' } as const

/** `http[s]://host[:port][/path]`. Code: `explain.url`. */
export function parseUrl(url: string): Result<RequestUrl> {
  const match = /^(https?):\/\/(([^/?#:[\]]+|\[[^\]]+\])(?::(\d{1,5}))?)([/?][^#]*)?$/.exec(url)
  if (match === null) {
    const message = `${JSON.stringify(url)} is no URL of HTTP: write http://host[:port]/path or https://host[:port]/path`
    return fail(problem('explain.url', 'url', message))
  }
  const scheme = match[1] === 'https' ? 'https' : 'http'
  const [, , authority = '', host = '', port = PORTS[scheme], path = '/'] = match
  return ok({
    scheme,
    authority,
    host: host.replace(/^\[|\]$/g, ''),
    port: Number(port),
    path: path.startsWith('/') ? path : `/${path}`,
  })
}
