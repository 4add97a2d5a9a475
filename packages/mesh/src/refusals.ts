import type { OriginIndex } from '@heddle/config-model'
import { proxyFromNode, translate } from '@heddle/translator'
import type { ControlPlane } from './control-plane.js'
import { locate, type TracedSource } from './explain/trace.js'

/** A resource that a proxy has refused, and what people wrote that it came from. */
export interface TracedRefusal {
  readonly nodeId: string
  readonly streamId: string
  readonly typeUrl: string
  readonly resource: string
  /** What the proxy said. */
  readonly message: string
  /** The objects behind the resource as it is now; empty for one that comes from none. */
  readonly sources: readonly TracedSource[]
}

/** What connected proxies refuse now. Each of those proxies is translated for once more, to know where its resources come from. */
export function traceRefusals(
  { xds, snapshots, features }: Pick<ControlPlane, 'xds' | 'snapshots' | 'features'>,
  origins: OriginIndex,
): TracedRefusal[] {
  return [...xds.status()].flatMap(({ nodeId = '', streamId, node, types }) => {
    const refused = [...types.values()].filter(({ state }) => state === 'NACKED')
    const proxy = node === undefined || refused.length === 0 ? undefined : proxyFromNode(node)
    if (proxy?.ok !== true) return []
    const { provenance } = translate(snapshots.current, proxy.value, { features })
    return refused.flatMap(({ typeUrl, nacked }) =>
      (nacked?.resources ?? []).map((resource) => {
        const sources = provenance.of(typeUrl, resource).map((source) => locate(source, origins))
        return { nodeId, streamId, typeUrl, resource, message: nacked?.error.message ?? '', sources }
      }),
    )
  })
}
