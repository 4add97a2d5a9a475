import { isRecord } from '../../decode/value.js'
import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

const CRD = 'CustomResourceDefinition'
const EXTENSIONS = 'apiextensions.k8s.io'
const GATEWAY_API = 'gateway.networking.k8s.io'
const BUNDLE_VERSION = 'gateway.networking.k8s.io/bundle-version'

// The bundle that a kind must be from.
const MINIMUM: Readonly<Record<string, readonly [number, number, number]>> = {
  'grpcroutes.gateway.networking.k8s.io': [1, 1, 0],
  'backendtlspolicies.gateway.networking.k8s.io': [1, 4, 0],
  'tlsroutes.gateway.networking.k8s.io': [1, 5, 0],
}

/** Gateway API CRDs of a bundle that is too old: their objects would be passed over. */
export const gatewayApiBundle: Analyzer = {
  name: 'k8sgateway.CRDVersionAnalyzer',
  summary: 'Gateway API CRDs from a bundle that is too old',
  messages: ['GatewayAPICRDVersionBelowMinimum'],
  analyze(context, report) {
    for (const definition of context.ofGroup(EXTENSIONS, CRD)) {
      const { name, annotations } = definition.metadata
      const minimum = Object.hasOwn(MINIMUM, name) ? MINIMUM[name] : undefined
      const version = /^v?(\d+)\.(\d+)\.(\d+)(.*)$/.exec(annotations[BUNDLE_VERSION] ?? '')
      if (minimum === undefined || version === null) continue
      const parts = version.slice(1, 4).map(Number)
      if (!isBelow(parts, minimum)) continue
      const installed = `${parts.join('.')}${version[4] ?? ''}`
      const path = `metadata.annotations[${JSON.stringify(BUNDLE_VERSION)}]`
      report('GatewayAPICRDVersionBelowMinimum', definition, path, name, installed, minimum.join('.'))
    }
  },
}

/** Gateway API CRDs that do not serve the version that is read, or will be read soon (`istioctl x precheck`). */
export const gatewayApiServed: Analyzer = {
  name: 'precheck.GatewayAPIVersions',
  summary: 'Gateway API CRDs that do not serve v1beta1 or v1',
  messages: ['UnsupportedGatewayAPIVersion', 'FutureUnsupportedGatewayAPIVersion'],
  analyze(context, report) {
    for (const definition of context.ofGroup(EXTENSIONS, CRD)) {
      const { group, kind, served } = specOf(definition)
      if (group !== GATEWAY_API) continue
      const has = served.length === 0 ? 'none' : [...served].sort().join(',')
      if (['Gateway', 'GatewayClass', 'HTTPRoute', 'ReferenceGrant'].includes(kind) && !served.includes('v1beta1'))
        report('UnsupportedGatewayAPIVersion', definition, 'spec.versions', has, 'v1beta1')
      else if (['Gateway', 'GatewayClass', 'HTTPRoute', 'GRPCRoute'].includes(kind) && !served.includes('v1'))
        report('FutureUnsupportedGatewayAPIVersion', definition, 'spec.versions', has, 'v1')
    }
  },
}

function specOf({ written }: ConfigObject): { group: string; kind: string; served: readonly string[] } {
  const spec = isRecord(written['spec']) ? written['spec'] : {}
  const names = isRecord(spec['names']) ? spec['names'] : {}
  const versions = Array.isArray(spec['versions']) ? spec['versions'].filter(isRecord) : []
  const served = versions.filter((version) => version['served'] === true).map((version) => String(version['name']))
  return { group: String(spec['group']), kind: String(names['kind']), served }
}

function isBelow(version: readonly number[], minimum: readonly number[]): boolean {
  for (const [i, least] of minimum.entries()) if (version[i] !== least) return (version[i] ?? 0) < least
  return false
}
