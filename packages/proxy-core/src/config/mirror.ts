import type { RouteAction_RequestMirrorPolicy } from '@heddle/xds-types/envoy/config/route/v3'
import { asciiLower } from '../matcher/ascii.js'
import { headerValues } from '../matcher/header.js'
import type { Mirror } from '../route/table.js'
import type { Runtime } from '../runtime.js'
import type { Fields } from './fields.js'
import { compileRuntimeShare } from './fraction.js'
import { compileMutation } from './header-mutations.js'
import type { RouteClusters } from './route-clusters.js'

/** RouteAction.RequestMirrorPolicy. An absent or empty cluster_header mirrors nothing. */
export function compileMirror(
  fields: Fields<RouteAction_RequestMirrorPolicy>,
  clusters: RouteClusters,
  runtime?: Runtime,
): Mirror {
  const cluster = fields.string('cluster')
  const headerName = asciiLower(fields.string('cluster_header'))
  const mutations = fields.messages('request_headers_mutations').map(compileMutation)
  const hostRewrite = fields.string('host_rewrite_literal')
  const mirror: Mirror = {
    cluster: cluster === '' ? (head) => headerValues(head, headerName)[0] : () => cluster,
    fraction: compileRuntimeShare(fields.message('runtime_fraction'), 1, runtime),
    appendShadow: !fields.boolean('disable_shadow_host_suffix_append'),
    ...(hostRewrite !== '' && { hostRewrite }),
    ...(fields.has('trace_sampled') && { traceSampled: fields.boolean('trace_sampled') }),
    mutate(headers, entry) {
      for (const mutation of mutations) mutation(headers, entry)
    },
  }
  fields.done()
  if ((cluster === '') === (headerName === '')) fields.problem('needs one of cluster, cluster_header.')
  if (cluster !== '') clusters.add(cluster, fields, 'cluster')
  return mirror
}
