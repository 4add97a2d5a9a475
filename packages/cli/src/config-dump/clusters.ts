import type { Cluster } from '@heddle/xds-types/envoy/config/cluster/v3'
import { describeOwner } from './owner.js'

type Parts = readonly [fqdn: string, port: string, subset: string, direction: string]

/** `istioctl proxy-config cluster`. */
export function clusterTable(clusters: readonly Cluster[]): string[][] {
  const rows = clusters.map((cluster) => ({ cluster, parts: partsOf(cluster.name ?? '') }))
  rows.sort((a, b) => compare(a.parts, b.parts))
  return [
    ['SERVICE FQDN', 'PORT', 'SUBSET', 'DIRECTION', 'TYPE', 'DESTINATION RULE'],
    ...rows.map(({ cluster, parts }) => [
      ...parts.map((part) => part || '-'),
      cluster.type ?? cluster.cluster_type?.name ?? 'STATIC',
      describeOwner(cluster.metadata),
    ]),
  ]
}

/** `outbound|80|v1|host`; any other name is a name. */
export function partsOf(name: string): Parts {
  const parts = name.split('|')
  if (parts.length < 4) return [name, '', '', '']
  const [direction = '', port = '', subset = '', fqdn = ''] = parts
  return [fqdn, port, subset, direction]
}

function compare(a: Parts, b: Parts): number {
  return text(a[0], b[0]) || text(a[2], b[2]) || Number(a[1]) - Number(b[1]) || text(a[3], b[3])
}

function text(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
