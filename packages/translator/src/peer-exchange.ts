import { writtenOnce } from '@heddle/xds-types'
import type { Build } from './build.js'
import { type TypedMessage, typed } from './message.js'

interface ExchangeFilter {
  readonly name: string
  readonly typed_config: TypedMessage
}

/** Peers on TCP tell each other who they are by a filter on both sides. */
function exchangeFilter(labels: object): ExchangeFilter {
  return writtenOnce({
    name: 'istio.metadata_exchange',
    typed_config: typed('udpa.type.v1.TypedStruct', {
      type_url: 'type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange',
      value: { enable_discovery: true, protocol: 'istio-peer-exchange', ...labels },
    }),
  })
}

const EXCHANGE = writtenOnce([exchangeFilter({})])
const NONE: readonly ExchangeFilter[] = []

/** Whether a proxy tells its peers who it is, and asks them: only Istio's own Envoy can, and istiod may switch it off. */
export function exchangesMetadata({ proxy, features }: Build): boolean {
  return !proxy.stockEnvoy && features.metadataExchange
}

/** The network filter for it, of connections either way. */
export function exchangeFilters(build: Build): readonly ExchangeFilter[] {
  if (!exchangesMetadata(build)) return NONE
  if (build.features.exchangedLabels.length === 0) return EXCHANGE
  return build.common.of('metadata exchange', [], () => [exchangeFilter(exchangedLabels(build))])
}

/** Labels that peers tell each other, besides those of metrics. */
export function exchangedLabels({ features }: Build): object {
  return features.exchangedLabels.length === 0 ? {} : { additional_labels: features.exchangedLabels }
}

/** Whether the ALPN `istio-peer-exchange` is offered: without the filter its bytes would go to the application. */
export function offersExchange(build: Build): boolean {
  return exchangesMetadata(build) && !build.features.withoutExchangeAlpn
}
