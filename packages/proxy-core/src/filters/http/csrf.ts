import type { CsrfPolicy as CsrfPolicyProto } from '@heddle/xds-types/envoy/extensions/filters/http/csrf/v3'
import { compileMessage, type Fields } from '../../config/fields.js'
import { compileRuntimeShare } from '../../config/fraction.js'
import type { HttpFilterFactory } from '../../http/filter.js'
import type { HeaderMap } from '../../http/header-map.js'
import type { LocalReply } from '../../http/message.js'
import { compileStringMatcher, type StringMatcher } from '../../matcher/string.js'
import { httpFilterCounter } from '../../observe/filter-stats.js'
import type { Runtime } from '../../runtime.js'

interface CsrfPolicy {
  /** As they are now. */
  readonly enabled: () => number
  readonly shadow: () => number
  readonly additionalOrigins: readonly StringMatcher[]
}

const CHANGING: ReadonlySet<string> = new Set(['POST', 'PUT', 'DELETE', 'PATCH'])
const REFUSAL: LocalReply = { status: 403, body: 'Invalid origin', details: 'csrf_origin_mismatch' }

/** envoy.filters.http.csrf: what changes something must come from the host that it is sent to, by Origin or Referer. */
export const csrfFilter: HttpFilterFactory<CsrfPolicy> = {
  typeNames: ['envoy.extensions.filters.http.csrf.v3.CsrfPolicy'],
  decode: (config, path, deps) => compileMessage(config as CsrfPolicyProto, path, (fields) => compile(fields, deps?.runtime)),
  decodePerRoute: (config, path, deps) =>
    compileMessage(config as CsrfPolicyProto, path, (fields) => compile(fields, deps?.runtime)),
  create(config, { random, stats, statPrefix = '' }, name) {
    const counter = httpFilterCounter(stats, statPrefix, 'csrf')
    return (stream) => {
      const policy = (stream.perRouteConfig(name) as CsrfPolicy | undefined) ?? config
      return {
        onRequest({ method, headers, authority }) {
          const enabled = random.next() < policy.enabled()
          if ((!enabled && random.next() >= policy.shadow()) || !CHANGING.has(method)) return undefined
          const source = sourceOrigin(headers)
          if (source !== '' && allows(policy, source, authority)) {
            counter('request_valid').inc()
            return undefined
          }
          counter(source === '' ? 'missing_source_origin' : 'request_invalid').inc()
          return enabled ? REFUSAL : undefined
        },
      }
    }
  },
  explain(config, { head, perRoute }) {
    const policy = (perRoute as CsrfPolicy | undefined) ?? config
    const share = policy.enabled()
    if (share === 0 || !CHANGING.has(head.method)) return undefined
    const source = sourceOrigin(head.headers)
    if (source !== '' && allows(policy, source, head.authority)) return { outcome: 'pass', reason: `${source} may change things` }
    const reason = source === '' ? 'neither origin nor referer tells where it comes from' : `${source} is another origin`
    return share === 1 ? { outcome: 'reply', reason, reply: REFUSAL } : { outcome: 'maybe', reason }
  },
}

function compile(fields: Fields<CsrfPolicyProto>, runtime: Runtime | undefined): CsrfPolicy {
  if (!fields.has('filter_enabled')) fields.problem('is required.', 'filter_enabled')
  const policy = {
    enabled: compileRuntimeShare(fields.message('filter_enabled'), 0, runtime),
    shadow: compileRuntimeShare(fields.message('shadow_enabled'), 0, runtime),
    additionalOrigins: fields.messages('additional_origins').map(compileStringMatcher),
  }
  fields.done()
  return policy
}

function allows({ additionalOrigins }: CsrfPolicy, source: string, authority: string): boolean {
  return source === hostAndPort(authority) || additionalOrigins.some((matcher) => matcher.matches(source))
}

/** Of a page without an origin there is none: not by its Referer either. */
function sourceOrigin(headers: HeaderMap): string {
  if (headers.get('origin') === 'null') return ''
  return hostAndPort(headers.get('origin')) || hostAndPort(headers.get('referer'))
}

/** Of a URL its host and port as they are written; what is none stays. */
function hostAndPort(value = ''): string {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(value)?.[1] ?? value
}
