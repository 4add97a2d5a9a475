import type { OriginIndex } from '@heddle/config-model'
import type { Provenance, Translation } from '@heddle/translator'

/** Where a resource and what is in it came from. */
export interface ProvenanceRow {
  readonly typeUrl: string
  /** As in the output: `listeners`, `routes` …; '' for what is not in it. */
  readonly type: string
  readonly name: string
  /** Of the whole resource. */
  readonly from: readonly Located[]
  /** Every field that came from somewhere of its own; '' is the whole resource. */
  readonly fields: readonly { readonly field: string; readonly from: readonly Located[] }[]
}

/** An object's field with the place where it is written; no place for what no file has. */
interface Located extends Provenance {
  readonly file?: string
  readonly line?: number
}

const TYPES: Readonly<Record<string, string>> = {
  'envoy.config.listener.v3.Listener': 'listeners',
  'envoy.config.route.v3.RouteConfiguration': 'routes',
  'envoy.config.cluster.v3.Cluster': 'clusters',
  'envoy.config.endpoint.v3.ClusterLoadAssignment': 'endpoints',
}

export function provenanceRows({ resources, provenance }: Translation, origins: OriginIndex): readonly ProvenanceRow[] {
  return resources.groups.flatMap((group) =>
    [...group.resources].flatMap(([typeUrl, list]) =>
      list.map((resource) => {
        const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
        const named = cluster_name ?? name ?? ''
        const fields = provenance
          .fieldsOf(typeUrl, named)
          .map(({ field, from }) => ({ field, from: from.map((one) => located(one, origins)) }))
        const from = fields.find(({ field }) => field === '')?.from ?? []
        return { typeUrl, type: TYPES[typeUrl.slice(typeUrl.indexOf('/') + 1)] ?? '', name: named, from, fields }
      }),
    ),
  )
}

function located(from: Provenance, origins: OriginIndex): Located {
  const origin = origins.locate(`${from.kind} ${from.namespace}/${from.name}`, from.path)
  return origin === undefined ? from : { ...from, file: origin.file, line: origin.line }
}

/** `      virtual_hosts[0].routes[0]  VirtualService shop/tea spec.http[0]  shop.yaml:12` */
export function provenanceLines({ field, from }: ProvenanceRow['fields'][number]): readonly string[] {
  return from.map(({ kind, namespace, name, path, file, line }) => {
    const what = [`${kind} ${namespace}/${name}`, path].filter((part) => part !== '').join(' ')
    return `      ${field === '' ? '(all)' : field}  ${what}${file === undefined ? '' : `  ${file}:${line}`}`
  })
}
