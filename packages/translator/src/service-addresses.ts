import type { MeshService } from '@heddle/config-model'
import { ask } from './ask.js'
import { familiesOf, reachableAddresses } from './families.js'
import type { PilotFeatures } from './pilot-features.js'
import type { ProxyDescriptor } from './proxy.js'

const readdressed = new WeakMap<MeshService, Map<string, MeshService>>()

/** With the addresses that the service has in the proxy's cluster, without those that Istio made up where the proxy does not answer DNS itself. */
export function withAddresses(service: MeshService, proxy: ProxyDescriptor, features: PilotFeatures): MeshService {
  const { addressesIn } = service
  const given = (addressesIn === undefined ? undefined : addressesIn[proxy.cluster]) ?? service.addresses
  const there =
    service.registry === 'Kubernetes' || service.allocated === true
      ? ownFamily(given, proxy, features)
      : ownFamilyFirst(given, proxy)
  const without = service.allocated === true && there.length > 0 && !answersDns(proxy)
  if (there === service.addresses && !without) return service
  const addresses = without ? [] : there
  const known = readdressed.get(service) ?? new Map<string, MeshService>()
  readdressed.set(service, known)
  const key = addresses.join()
  const found = known.get(key) ?? { ...service, addresses }
  known.set(key, found)
  return found
}

/** Of a Service. Where the proxy can reach none, its listeners have the first nevertheless. */
function ownFamily(addresses: readonly string[], proxy: ProxyDescriptor, features: PilotFeatures): readonly string[] {
  if (addresses.length < 2) return addresses
  const own = reachableAddresses(addresses, familiesOf({ proxy }), features.dualStack || features.ambient)
  return own.length === addresses.length || own.length === 0 ? addresses : own
}

/** Of a ServiceEntry with addresses of both families a proxy calls the one that it can reach. */
function ownFamilyFirst(addresses: readonly string[], proxy: ProxyDescriptor): readonly string[] {
  if (addresses.length < 2 || addresses[0]?.includes(':') === true || !addresses.some((a) => a.includes(':'))) return addresses
  if (familiesOf({ proxy }) !== 'IPv6') return addresses
  return [...addresses].sort((a, b) => Number(b.includes(':')) - Number(a.includes(':')))
}

/** Its agent is a DNS proxy: node metadata DNS_CAPTURE. */
export function answersDns(proxy: ProxyDescriptor): boolean {
  return ask(proxy, 'answers DNS', ({ metadata }) => String(metadata['DNS_CAPTURE'] ?? '') === 'true')
}
