import { Filter } from '@heddle/xds-types/envoy/config/listener/v3'
import { HttpFilter } from '@heddle/xds-types/envoy/extensions/filters/network/http_connection_manager/v3'
import { knownTypes } from '@heddle/xds-types/known'
import { load } from 'js-yaml'
import { firstDifference } from '../compare.js'
import { each, type Suite, type Verdict } from '../suite.js'
import { type Json, listAt, mapAt, meshOf, proxyOf, textAt, translated } from './mesh.js'

interface Case {
  readonly id: string
  readonly mode: 'http' | 'tcp'
  readonly policies: string
  readonly trustDomains: { readonly trustDomain: string; readonly aliases: readonly string[] } | null
  readonly meshConfig: Json | null
  /** Filters as YAML, names in lowerCamelCase. */
  readonly want: readonly string[]
}

/** AuthorizationPolicies -> the RBAC and ext_authz filters of inbound connections, as one list in order. */
export const authorization: Suite = {
  name: 'authorization',
  file: 'authorization.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

/** What the cases take as there. */
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: my-custom-ext-authz, namespace: foo}
spec:
  clusterIP: 10.9.9.9
  ports: [{name: grpc, port: 9000}]
`
const WORKLOAD = { id: 'httpbin-0', namespace: 'foo', ip: '10.9.0.1', labels: { app: 'httpbin', version: 'v1' } }
const AUTHORIZATION = /\.(rbac|ext_authz)$/

function judge({ mode, policies, trustDomains, meshConfig, want }: Case): Verdict {
  const domains = trustDomains === null ? {} : { trustDomain: trustDomains.trustDomain, trustDomainAliases: trustDomains.aliases }
  const snapshot = meshOf([SERVICE, policies], { ...meshConfig, ...domains })
  const { listeners } = translated(snapshot, proxyOf(WORKLOAD))
  const filters = filtersOf(
    listeners.find((one) => textAt(one, 'name') === 'virtualInbound'),
    mode,
  )
  const got = filters.filter((filter) => AUTHORIZATION.test(textAt(filter, 'name')))
  return firstDifference(
    want.map((text) => canonical(load(text), mode)),
    got.map((filter) => canonical(filter, mode)),
  )
}

/** Of the chain that takes whatever no port of a service takes: policies are all that differs in it. */
function filtersOf(listener: unknown, mode: Case['mode']): readonly Json[] {
  for (const chain of listAt(listener, 'filter_chains')) {
    const manager = listAt(chain, 'filters').find((filter) => mapAt(filter, 'typed_config')?.['http_filters'] !== undefined)
    if (mode === 'http' && manager !== undefined) return listAt(mapAt(manager, 'typed_config'), 'http_filters')
    if (mode === 'tcp' && manager === undefined && textAt(chain, 'name') === 'virtualInbound') return listAt(chain, 'filters')
  }
  throw new Error(`no ${mode} filter chain for inbound connections`)
}

/** One notation for field names, enums, numbers and durations: that of a message that was sent and received. */
function canonical(filter: unknown, mode: Case['mode']): unknown {
  const type = mode === 'http' ? HttpFilter : Filter
  const read = type.fromJson(filter, knownTypes)
  if (!read.ok) throw new Error(read.diagnostics.map(({ path, message }) => `${path} ${message}`).join('; '))
  const sent = type.decode(type.encode(read.value, knownTypes), knownTypes)
  return sent.ok ? type.toJson(sent.value, { registry: knownTypes }) : sent.diagnostics
}
