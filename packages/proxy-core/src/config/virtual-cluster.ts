import type { VirtualCluster } from '@heddle/xds-types/envoy/config/route/v3'
import { compileHeaderMatcher } from '../matcher/header.js'
import type { RequestHead } from '../route/table.js'
import type { Fields } from './fields.js'

/** VirtualHost.virtual_clusters: the name of the first whose headers all match. Undefined inside: none does. */
export function compileVirtualClusters(
  list: readonly Fields<VirtualCluster>[],
): ((head: RequestHead) => string | undefined) | undefined {
  if (list.length === 0) return undefined
  const clusters = list.map((fields) => {
    const name = fields.string('name')
    const matchers = fields.messages('headers').map(compileHeaderMatcher)
    fields.done()
    if (name === '') fields.problem('is required.', 'name')
    if (matchers.length === 0) fields.problem('needs at least one matcher.', 'headers')
    return { name, matchers }
  })
  return (head) => clusters.find(({ matchers }) => matchers.every((matcher) => matcher.matches(head)))?.name
}
