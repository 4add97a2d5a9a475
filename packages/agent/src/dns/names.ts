import type { Logger } from '@heddle/runtime'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { NameTable } from '@heddle/xds-types/istio/networking/nds/v1'

/** The agent's own questions on the stream that carries the proxy's: it asks for names (NDS), and takes the answers off it. */
export interface NameSubscription {
  /** Sent behind the first request of a stream. */
  readonly request: Buffer
  /** What a response is answered with that has names; undefined: it is the proxy's. */
  take(response: Buffer): Buffer | undefined
}

const MARK = Buffer.from(NameTable.typeUrl)

export function subscribeNames(update: (table: NameTable) => void, logger: Logger): NameSubscription {
  const encode = (request: DeltaDiscoveryRequest): Buffer => Buffer.from(DeltaDiscoveryRequest.encode(request))
  return {
    request: encode({ type_url: NameTable.typeUrl }),
    take(response) {
      // The type stands behind all resources; only what names it anywhere is looked into.
      if (!response.includes(MARK)) return undefined
      const decoded = decodeDeltaResponse(response)
      if (!decoded.ok || decoded.value.typeUrl !== NameTable.typeUrl) return undefined
      const { nonce, resources } = decoded.value
      const answer = { type_url: NameTable.typeUrl, response_nonce: nonce }
      const value = resources.at(-1)?.value
      const table = value === undefined ? undefined : NameTable.decode(value)
      if (table?.ok === false) {
        const message = table.diagnostics[0]?.message ?? 'no NameTable'
        logger.warn({ message }, 'the control plane has sent names that cannot be read')
        return encode({ ...answer, error_detail: { code: 3, message } })
      }
      if (table !== undefined) update(table.value)
      return encode(answer)
    },
  }
}
