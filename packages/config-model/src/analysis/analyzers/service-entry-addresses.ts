import { isRecord } from '../../decode/value.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

/** TCP ports without an address: they would take all traffic of the port, whatever its host. */
export const serviceEntryAddresses: Analyzer = {
  name: 'serviceentry.Analyzer',
  summary: 'ServiceEntries with TCP ports and no addresses',
  messages: ['ServiceEntryAddressesRequired'],
  analyze(context, report) {
    const { proxyMetadata } = context.meshConfig.defaultConfig
    const captured = proxyMetadata['ISTIO_META_DNS_CAPTURE'] === 'true'
    const allocates = ['ISTIO_META_DNS_AUTO_ALLOCATE', 'PILOT_ENABLE_IP_AUTOALLOCATE'].some(
      (name) => proxyMetadata[name] === 'true',
    )
    if (captured && allocates) return
    for (const entry of context.of('ServiceEntry')) {
      if (entry.spec.addresses !== undefined || hasAllocated(entry)) continue
      entry.spec.ports?.forEach(({ protocol = '' }, p) => {
        if (protocol === '' || protocol.toUpperCase() === 'TCP')
          report('ServiceEntryAddressesRequired', entry, `spec.ports[${p}]`)
      })
    }
  },
}

// istiod writes what it allocates into the status.
function hasAllocated({ written }: ConfigObject): boolean {
  const { status } = written
  return isRecord(status) && Array.isArray(status['addresses']) && status['addresses'].length > 0
}
