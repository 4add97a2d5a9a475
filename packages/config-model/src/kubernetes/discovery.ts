import { kindFor } from '../kinds/all.js'
import type { KindName } from '../kinds/index.js'
import type { ApiServer } from './api-server.js'

/** Where objects of a kind are, on one API server. */
export interface ApiResource {
  readonly kind: KindName
  /** `networking.istio.io/v1`. */
  readonly apiVersion: string
  /** As written: `Gateway` for a KubernetesGateway. */
  readonly writtenAs: string
  /** `/apis/networking.istio.io/v1`. */
  readonly base: string
  /** `virtualservices`. */
  readonly plural: string
  readonly namespaced: boolean
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
    readonly verbs?: readonly string[]
  }[]
}
interface GroupList {
  readonly groups?: readonly { readonly name: string; readonly versions: readonly { readonly groupVersion: string }[] }[]
}

/** The kinds that the server has and this package knows, each in the version that the server names first. */
export async function discover(
  api: ApiServer,
  kinds: ReadonlySet<KindName>,
  signal: AbortSignal,
): Promise<ReadonlyMap<KindName, ApiResource>> {
  const found = new Map<KindName, ApiResource>()
  const take = async (apiVersion: string, base: string): Promise<void> => {
    const { resources = [] } = await api.get<ResourceList>(base, signal)
    for (const { name, kind: writtenAs, namespaced, verbs = [] } of resources) {
      const kind = kindFor(apiVersion, writtenAs)?.name as KindName | undefined
      // `services/status` and their like are parts of objects.
      if (kind === undefined || name.includes('/') || !verbs.includes('watch') || !kinds.has(kind) || found.has(kind)) continue
      found.set(kind, { kind, apiVersion, writtenAs, base, plural: name, namespaced })
    }
  }
  await take('v1', '/api/v1')
  const { groups = [] } = await api.get<GroupList>('/apis', signal)
  for (const { name, versions } of groups) {
    if (!GROUPS.test(name)) continue
    for (const { groupVersion } of versions) await take(groupVersion, `/apis/${groupVersion}`)
  }
  return found
}

// Groups with kinds that this package knows: a cluster may have hundreds of others.
const GROUPS =
  /(?:\.istio\.io|^apps|^batch|^discovery\.k8s\.io|^networking\.k8s\.io|^(?:.+\.)?(?:gateway|inference)\.networking\.(?:x-)?k8s\.io)$/
