import type { MeshProxyConfig } from '@heddle/config-model'
import type { StatsConfig } from '@heddle/xds-types/envoy/config/metrics/v3'
import type { ProxyDescriptor } from '../proxy.js'

/** Parts of the names of Envoy's statistics that become labels. Names end in `;`, so that the dots inside them are not read as separators. */
const TAGS: readonly (readonly [string, string])[] = [
  ['cluster_name', '^cluster(\\.(.+);)'],
  ['http_conn_manager_prefix', '^http\\.(((?:[_.[:digit:]\\w]*|[_\\[\\]aAbBcCdDeEfF[:digit:]\\w\\:]*));\\.)'],
  ['thread_name', '^server(\\.(.+))\\.watchdog'],
  ['tcp_prefix', '^tcp\\.((.*?)\\.)\\w+?$'],
  ['response_code', '_rq(_(\\d{3}))$'],
  ['response_code_class', '_rq(_(\\dxx))$'],
  ['http_conn_manager_listener_prefix', '^listener(?=\\.).*?\\.http\\.(((?:[_.[:digit:]]*|[_\\[\\]aAbBcCdDeEfF[:digit:]]*))\\.)'],
  ['listener_address', '^listener\\.(((?:[_.[:digit:]]*|[_\\[\\]aAbBcCdDeEfF[:digit:]]*))\\.)'],
  ['mongo_prefix', '^mongo\\.(.+?)\\.(collection|cmd|cx_|op_|delays_|decoding_)(.*?)$'],
  ['cache', '(cache\\.(.+?)\\.)'],
  ['component', '(component\\.(.+?)\\.)'],
  ['tag', '(tag\\.(.+?);\\.)'],
  ['wasm_filter', '(wasm_filter\\.(.+?)\\.)'],
  ['authz_enforce_result', 'rbac(\\.(allowed|denied))'],
  ['authz_dry_run_action', '(\\.istio_dry_run_(allow|deny)_)'],
  ['authz_dry_run_result', '(\\.shadow_(allowed|denied))'],
]

const PREFIXES = ['cluster_manager', 'listener_manager', 'server', 'cluster.xds-grpc', 'wasm']
const SUFFIXES = ['rbac.allowed', 'rbac.denied', 'shadow_allowed', 'shadow_denied', 'downstream_cx_active']
const REGEXPS = ['vhost\\..*\\.route\\..*']

/** Which statistics Envoy keeps, and their labels: Istio's few, and what ProxyConfig or the pod's annotations `sidecar.istio.io/statsInclusion…` add. */
export function statsConfig(config: MeshProxyConfig, proxy: ProxyDescriptor): StatsConfig {
  const { inclusionPrefixes, inclusionSuffixes, inclusionRegexps } = config.proxyStatsMatcher ?? {}
  const annotations = isRecord(proxy.metadata['ANNOTATIONS']) ? proxy.metadata['ANNOTATIONS'] : {}
  const of = (name: string, required: readonly string[], configured: readonly string[] = []): readonly string[] => {
    const own = annotations[`sidecar.istio.io/statsInclusion${name}`]
    return [...required, ...(typeof own === 'string' ? own.split(',').filter((s) => s !== '') : configured)]
  }
  return {
    use_all_default_tags: false,
    stats_tags: [
      ...TAGS.map(([tag_name, regex]) => ({ tag_name, regex })),
      ...(config.extraStatTags ?? []).map((tag_name) => ({ tag_name, regex: `(${tag_name}=\\.=(.*?);\\.;)` })),
    ],
    stats_matcher: {
      inclusion_list: {
        patterns: [
          { prefix: 'reporter=' },
          ...of('Prefixes', PREFIXES, inclusionPrefixes).map((prefix) => ({ prefix })),
          ...of('Suffixes', SUFFIXES, inclusionSuffixes).map((suffix) => ({ suffix })),
          ...of('Regexps', REGEXPS, inclusionRegexps).map((regex) => ({ safe_regex: { regex } })),
          { prefix: 'component' },
          { prefix: 'istio' },
        ],
      },
    },
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
