import type { Analyzer } from '../analyzer.js'
import { alphaAnnotations, annotations } from './annotations.js'
import { applicationUid } from './application-uid.js'
import { authorizationPolicies } from './authorization-policies.js'
import { blockedCidrs } from './blocked-cidrs.js'
import { caCertificates } from './ca-certificates.js'
import { conditions } from './conditions.js'
import { deploymentServices } from './deployment-services.js'
import { deprecated } from './deprecated.js'
import { destinationHosts } from './destination-hosts.js'
import { destinationSubsets } from './destination-subsets.js'
import { envoyFilterPatches } from './envoy-filter-patches.js'
import { envoyFilterRouteCache } from './envoy-filter-route-cache.js'
import { externalControlPlane } from './external-control-plane.js'
import { faultRetries } from './fault-retries.js'
import { gatewayApiBundle, gatewayApiServed } from './gateway-api-versions.js'
import { gatewayCertificates } from './gateway-certificates.js'
import { gatewayConflicts } from './gateway-conflicts.js'
import { gatewayPorts } from './gateway-ports.js'
import { gatewaySecrets } from './gateway-secrets.js'
import { imageAuto } from './image-auto.js'
import { injection } from './injection.js'
import { injectionImage } from './injection-image.js'
import { jwtClaimRoutes } from './jwt-claim-routes.js'
import { kubernetesGatewaySelectors } from './kubernetes-gateway-selectors.js'
import { mergedRoutes } from './merged-routes.js'
import { meshGatewayHosts } from './mesh-gateway-hosts.js'
import { meshNetworks } from './mesh-networks.js'
import { multiClusterServices } from './multi-cluster-services.js'
import { mutualTlsConflicts } from './mutual-tls-conflicts.js'
import { mutualTlsWithoutProxy } from './mutual-tls-without-proxy.js'
import { neverMatchingRules } from './never-matching-rules.js'
import { overriddenPolicies } from './overridden-policies.js'
import { portNames } from './port-names.js'
import { precheck, upgrade } from './precheck.js'
import { schema } from './schema.js'
import { serviceEntryAddresses } from './service-entry-addresses.js'
import { serviceEntryProtocols } from './service-entry-protocols.js'
import { shadowedRoutes } from './shadowed-routes.js'
import { sidecarSelectors } from './sidecar-selectors.js'
import { subsetPods } from './subset-pods.js'
import { lightstep, telemetryProviders } from './telemetry-providers.js'
import { telemetryDefaultSelectors, telemetrySelectors } from './telemetry-selectors.js'
import { virtualServiceGateways } from './virtual-service-gateways.js'
import { webhooks } from './webhooks.js'
import { weightlessDestinations } from './weightless-destinations.js'

/** Those that run by default. The order is the reader's: what is wrong with an object by itself, with what it names, with its neighbours, with the cluster. */
export const ANALYZERS: readonly Analyzer[] = [
  // What validation says comes first: the rest may follow from it.
  schema,
  deprecated,
  annotations,
  applicationUid,
  portNames,
  caCertificates,
  envoyFilterPatches,
  serviceEntryAddresses,
  telemetryProviders,
  lightstep,
  // Names that must lead somewhere.
  destinationHosts,
  destinationSubsets,
  virtualServiceGateways,
  gatewayPorts,
  gatewaySecrets,
  subsetPods,
  authorizationPolicies,
  jwtClaimRoutes,
  meshNetworks,
  // Neighbours that contradict one another.
  meshGatewayHosts,
  gatewayConflicts,
  gatewayCertificates,
  deploymentServices,
  serviceEntryProtocols,
  sidecarSelectors,
  telemetrySelectors,
  telemetryDefaultSelectors,
  multiClusterServices,
  kubernetesGatewaySelectors,
  envoyFilterRouteCache,
  // What Istio does not tell: routes and policies that are without effect, or against one another.
  shadowedRoutes,
  mergedRoutes,
  weightlessDestinations,
  faultRetries,
  neverMatchingRules,
  mutualTlsConflicts,
  mutualTlsWithoutProxy,
  overriddenPolicies,
  // The installation and what runs.
  injection,
  injectionImage,
  imageAuto,
  webhooks,
  externalControlPlane,
  blockedCidrs,
  conditions,
  gatewayApiBundle,
  gatewayApiServed,
  precheck,
  upgrade,
]

/** Those that run only when they are asked for by name: they tell of much that is fine. */
export const OPTIONAL_ANALYZERS: readonly Analyzer[] = [alphaAnnotations]
