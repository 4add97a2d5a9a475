import type { MeshSnapshot, ObjectMeta, ResourceKey } from '@heddle/config-model'
import { fail, ok, problem, type Result } from '@heddle/runtime'
import { type ProxyDescriptor, proxyFromJson } from '@heddle/translator'
import { load } from 'js-yaml'

/** The annotation that lays ProxyConfig over the mesh's default. */
export const PROXY_CONFIG = 'proxy.istio.io/config'

/** Something that runs and has a proxy, as the configuration tells of it. */
export interface Workload {
  readonly name: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** '' for a pod that has no address yet. */
  readonly address: string
  /** `WorkloadEntry nolen/apps-v1`. */
  readonly source: ResourceKey
}

/** WorkloadEntries and Pods, by namespace and name. */
export function workloadsOf(snapshot: MeshSnapshot): Workload[] {
  const entries = snapshot.list('WorkloadEntry').map(({ kind, metadata, spec }) =>
    workload(kind, metadata, {
      labels: { ...metadata.labels, ...spec.labels },
      address: spec.address,
      serviceAccount: spec.serviceAccount,
    }),
  )
  const pods = snapshot
    .list('Pod')
    .map(({ kind, metadata, spec, status }) =>
      workload(kind, metadata, { labels: metadata.labels, address: status?.podIP, serviceAccount: spec.serviceAccountName }),
    )
  return [...entries, ...pods].sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
}

function workload(
  kind: string,
  { name, namespace, annotations }: ObjectMeta,
  own: { labels: Readonly<Record<string, string>>; address: string | undefined; serviceAccount: string | undefined },
): Workload {
  return {
    name,
    namespace,
    annotations,
    labels: own.labels,
    address: own.address ?? '',
    serviceAccount: own.serviceAccount ?? 'default',
    source: `${kind} ${namespace}/${name}`,
  }
}

/** Finds a workload by `name`, `name.namespace` or `namespace/name`; a name alone must be unique. Codes: `workload.unknown`, `workload.ambiguous`. */
export function findWorkload(snapshot: MeshSnapshot, wanted: string): Result<Workload> {
  const all = workloadsOf(snapshot)
  const found = all.filter(({ name, namespace }) => [name, `${name}.${namespace}`, `${namespace}/${name}`].includes(wanted))
  const [first] = found
  if (first === undefined) {
    const known = all.map(({ name, namespace }) => `${name}.${namespace}`).join(', ')
    return fail(
      problem(
        'workload.unknown',
        '',
        `there is no workload ${wanted}; there are ${known === '' ? 'none (Deployments, Pods and WorkloadEntries make them)' : known}`,
      ),
    )
  }
  if (found.length > 1)
    return fail(
      problem(
        'workload.ambiguous',
        '',
        `${wanted} is in the namespaces ${found.map(({ namespace }) => namespace).join(', ')}; say ${wanted}.${first.namespace}`,
      ),
    )
  return ok(first)
}

/** The proxy beside a workload, as its agent would introduce it: what the annotations tell becomes node metadata. */
export function proxyOf(workload: Workload, snapshot: MeshSnapshot): Result<ProxyDescriptor> {
  const { name, namespace, labels, serviceAccount, annotations, address } = workload
  const mode = annotations['sidecar.istio.io/interceptionMode']
  const metadata = { ...metadataOf(annotations[PROXY_CONFIG]), ...(mode === undefined ? {} : { INTERCEPTION_MODE: mode }) }
  return proxyFromJson({
    id: name,
    type: isGateway(workload, snapshot) ? 'router' : 'sidecar',
    namespace,
    ip: address,
    labels,
    serviceAccount,
    annotations,
    metadata,
  })
}

/** `proxyMetadata` of the annotation proxy.istio.io/config: its ISTIO_META_ variables are node metadata. */
function metadataOf(config: string | undefined): Record<string, unknown> {
  if (config === undefined) return {}
  const parsed = load(config) as { proxyMetadata?: Record<string, unknown> } | undefined
  const variables = Object.entries(parsed?.proxyMetadata ?? {})
  return Object.fromEntries(
    variables.flatMap(([key, value]) =>
      key.startsWith('ISTIO_META_') ? [[key.slice('ISTIO_META_'.length), String(value)]] : [],
    ),
  )
}

/** A workload that a Gateway selects serves as one. */
function isGateway({ labels }: Workload, snapshot: MeshSnapshot): boolean {
  return snapshot.list('Gateway').some(({ spec }) => {
    const selector = Object.entries(spec.selector ?? {})
    return selector.length > 0 && selector.every(([key, value]) => labels[key] === value)
  })
}
