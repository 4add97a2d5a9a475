import { writtenOnce } from '@heddle/xds-types'
import type { Build } from './build.js'
import { type TypedMessage, typed } from './message.js'

/** Peers on TCP tell each other who they are by a filter on both sides. */
const METADATA_EXCHANGE: { readonly name: string; readonly typed_config: TypedMessage } = writtenOnce({
  name: 'istio.metadata_exchange',
  typed_config: typed('udpa.type.v1.TypedStruct', {
    type_url: 'type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange',
    value: { enable_discovery: true, protocol: 'istio-peer-exchange' },
  }),
})
const EXCHANGE = writtenOnce([METADATA_EXCHANGE])
const NONE: readonly (typeof METADATA_EXCHANGE)[] = []

/** Whether a proxy tells its peers who it is, and asks them: only Istio's own Envoy can, and istiod may switch it off. */
export function exchangesMetadata({ proxy, features }: Build): boolean {
  return !proxy.stockEnvoy && features.metadataExchange
}

/** The network filter for it, of connections either way. */
export function exchangeFilters(build: Build): readonly (typeof METADATA_EXCHANGE)[] {
  return exchangesMetadata(build) ? EXCHANGE : NONE
}

/** Whether the ALPN `istio-peer-exchange` is offered: without the filter its bytes would go to the application. */
export function offersExchange(build: Build): boolean {
  return exchangesMetadata(build) && !build.features.withoutExchangeAlpn
}
