import type { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import type { Build } from '../build.js'
import { typed } from '../message.js'
import { REHEARSAL } from './dry-run.js'
import { NETWORK_RBAC } from './rbac.js'

/** Before what takes plaintext on a port: a shadow rule that STRICT would have kept it out. None where nothing of the kind is rehearsed. */
export function strictRehearsal({ peers, proxy }: Build, port: number): Filter[] {
  const { mode, sources } = peers.rehearsed.ofWorkload(proxy.namespace, proxy.labels).forPort(port)
  const [source] = sources
  if (mode !== 'STRICT' || source === undefined) return []
  const policy = { permissions: [{ any: true }], principals: [{ any: true }] }
  const config = {
    stat_prefix: 'tcp.',
    shadow_rules: {
      action: 'DENY',
      policies: { [`ns[${source.namespace}]-peer-authentication[${source.name}]-strict`]: policy },
    },
    shadow_rules_stat_prefix: `${REHEARSAL}_`,
  }
  return [{ name: 'envoy.filters.network.rbac', typed_config: typed(NETWORK_RBAC, config) }]
}
