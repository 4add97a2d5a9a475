import { type Collection, type Index, index, type Read } from '@heddle/runtime'
import type { ReferenceGrant } from '../../kinds/gateway-api/reference-grant.js'
import { GATEWAY_API_GROUP } from '../../kinds/gateway-api/references.js'

/** `group/Kind`; the core group is ''. */
export type GroupKind = `${string}/${string}`

export const SERVICE: GroupKind = '/Service'
export const SECRET: GroupKind = '/Secret'
export const CONFIG_MAP: GroupKind = '/ConfigMap'
export const SERVICE_ENTRY: GroupKind = 'networking.istio.io/ServiceEntry'
export const GATEWAY: GroupKind = `${GATEWAY_API_GROUP}/Gateway`
export const LISTENER_SET: GroupKind = `${GATEWAY_API_GROUP}/ListenerSet`
export const INFERENCE_POOL: GroupKind = 'inference.networking.k8s.io/InferencePool'

/** What a reference is to; group and kind are taken one by one from `fallback` where they are absent. */
export function groupKindOf(ref: { group?: string; kind?: string }, fallback: GroupKind): GroupKind {
  const slash = fallback.lastIndexOf('/')
  return `${ref.group ?? fallback.slice(0, slash)}/${ref.kind ?? fallback.slice(slash + 1)}`
}

/** What may refer to what: grants by the pair of kind and namespace on both sides. */
export type Grants = Index<ReferenceGrant>

export function indexGrants(grants: Collection<ReferenceGrant>): Grants {
  return index(grants, pairsOf, { name: 'gateway-api.grants' })
}

function pairsOf({ metadata, spec }: ReferenceGrant): string[] {
  return spec.from.flatMap((from) =>
    spec.to.map((to) => pair(`${from.group}/${from.kind}`, from.namespace, `${to.group}/${to.kind}`, metadata.namespace)),
  )
}

function pair(from: GroupKind, fromNamespace: string, to: GroupKind, toNamespace: string): string {
  return `${from}@${fromNamespace} -> ${to}@${toNamespace}`
}

export interface CrossReference {
  readonly from: GroupKind
  readonly fromNamespace: string
  readonly to: GroupKind
  readonly toNamespace: string
  readonly name: string
}

/** Whether a ReferenceGrant lets this reference into another namespace. */
export function isGranted({ from, fromNamespace, to, toNamespace, name }: CrossReference, grants: Grants, read: Read): boolean {
  return read
    .list(grants, pair(from, fromNamespace, to, toNamespace))
    .some(({ spec }) =>
      spec.to.some(
        (one) => `${one.group}/${one.kind}` === to && (one.name === undefined || one.name === '' || one.name === name),
      ),
    )
}
