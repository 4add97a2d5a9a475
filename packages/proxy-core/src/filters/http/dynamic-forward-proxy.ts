import type { Result } from '@heddle/runtime'
import type { FilterConfig, PerRouteConfig } from '@heddle/xds-types/envoy/extensions/filters/http/dynamic_forward_proxy/v3'
import type { DnsCacheConfig } from '../../config/compiled.js'
import { compileDnsCache } from '../../config/dns-cache.js'
import { compileMessage } from '../../config/fields.js'
import type { HttpFilterFactory, HttpStream } from '../../http/filter.js'
import type { LocalReply } from '../../http/message.js'
import { asciiLower } from '../../matcher/ascii.js'
import type { Resolution } from '../../upstream/dns-cache.js'

const TYPE = 'envoy.extensions.filters.http.dynamic_forward_proxy.v3'

interface PerRoute {
  /** Whose address is looked up, and who is asked for: in place of the request's own Host. */
  readonly hostLiteral: string
  /** The same from a header, lower case. */
  readonly hostHeader: string
}

/** envoy.filters.http.dynamic_forward_proxy: finds the address of the Host before the cluster of the same cache is asked for it. */
export const dynamicForwardProxyFilter: HttpFilterFactory<DnsCacheConfig | undefined> = {
  typeNames: [`${TYPE}.FilterConfig`],
  perRouteTypeNames: [`${TYPE}.PerRouteConfig`],
  decode: (config, path): Result<DnsCacheConfig | undefined> =>
    compileMessage(config as FilterConfig, path, (fields) => {
      const cache = compileDnsCache(fields.message('dns_cache_config'))
      fields.done()
      if (cache === undefined) fields.problem('is required.', 'dns_cache_config')
      return cache
    }),
  decodePerRoute: (config, path): Result<unknown> =>
    compileMessage(config as PerRouteConfig, path, (fields): PerRoute => {
      const perRoute = {
        hostLiteral: fields.string('host_rewrite_literal'),
        hostHeader: asciiLower(fields.string('host_rewrite_header')),
      }
      fields.done()
      return perRoute
    }),
  create(config, { dnsCaches, clusterDiscovery }, name) {
    const cache = config && dnsCaches?.get(config)
    return (stream) => ({
      onRequest(request) {
        const { route } = stream
        const discovery = route?.kind === 'forward' ? clusterDiscovery?.(route.target.cluster) : undefined
        if (cache === undefined || discovery?.kind !== 'DYNAMIC_FORWARD_PROXY') return undefined
        const host = rewrittenHost(stream, name)
        if (host !== undefined) request.authority = host
        const found = cache.resolve(request.authority, discovery.defaultPort)
        return typeof found === 'string' ? replyTo(found) : found.then(replyTo)
      },
    })
  },
}

function rewrittenHost(stream: HttpStream, name: string): string | undefined {
  const perRoute = stream.perRouteConfig(name) as PerRoute | undefined
  if (perRoute === undefined) return undefined
  if (perRoute.hostLiteral !== '') return perRoute.hostLiteral
  return perRoute.hostHeader === '' ? undefined : stream.request.headers.get(perRoute.hostHeader)
}

function replyTo(found: Resolution): LocalReply | undefined {
  if (found === 'resolved') return undefined
  if (found === 'overflow') return { status: 503, body: 'DNS cache overflow', details: 'dns_cache_overflow', flag: 'UO' }
  return { status: 503, body: 'DNS resolution failure', details: 'dns_resolution_failure', flag: 'DF' }
}
