import { into, refuse, type Site, warn } from '../decode/site.js'
import type { TCPRoute, TLSMatchAttributes, TLSRoute, VirtualService, VirtualServiceSpec } from '../kinds/virtual-service.js'
import { hostSubsetOf, hostsOverlap, wildcardDomainProblem } from '../names/host.js'
import { isIpAddress } from '../names/ip.js'
import { checkSubnet } from './address.js'
import { CODE } from './code.js'
import { checkDestination, checkWeights } from './destination.js'
import { each } from './each.js'
import { checkExportTo } from './export-to.js'
import { isClaimName } from './header.js'
import { checkGatewayName } from './host.js'
import { checkHttpRoute } from './http-route.js'
import { checkLabels } from './labels.js'
import { checkPort } from './port.js'
import { warnCoveredPrefixes, warnUnreachable } from './unreachable.js'

export function validateVirtualService({ metadata, spec }: VirtualService, at: Site): void {
  const delegate = spec.hosts.length === 0
  const gateways = spec.gateways ?? []
  const onlyGateways = gateways.length > 0 && !gateways.includes('mesh')
  if (delegate) checkDelegate(spec, at)
  each(gateways, at, 'gateways', (name, place) => {
    if (!name.includes('/') && name.includes('.')) {
      const [gateway, namespace] = name.split('.')
      warn(
        place,
        CODE.deprecated,
        `using legacy gatewayName format "${name}"; prefer the <namespace>/<name> format: "${namespace}/${gateway}"`,
      )
    }
    checkGatewayName(name, place)
  })
  checkHosts(spec, at, onlyGateways)
  if (!onlyGateways) checkNoClaims(spec, at)
  if ((spec.http ?? []).length + (spec.tls ?? []).length + (spec.tcp ?? []).length === 0) {
    refuse(at, CODE.required, 'http, tcp or tls must be provided in virtual service')
  }
  each(spec.http, at, 'http', (route, place) => {
    checkHttpRoute(route, place, delegate)
  })
  each(spec.tls, at, 'tls', (route, place) => {
    checkTlsRoute(route, spec, place, onlyGateways)
  })
  each(spec.tcp, at, 'tcp', checkTcpRoute)
  checkExportTo(spec.exportTo, metadata.namespace, at)
  warnUnreachable(spec.http, at, 'http')
  warnCoveredPrefixes(spec.http, at)
  warnUnreachable(spec.tcp, at, 'tcp')
  warnUnreachable(spec.tls, at, 'tls')
}

function checkDelegate(spec: VirtualServiceSpec, at: Site): void {
  if ((spec.gateways ?? []).length > 0)
    refuse(into(at, 'gateways'), CODE.conflict, 'delegate virtual service (without hosts) must have no gateways specified')
  if ((spec.tls ?? []).length > 0)
    refuse(into(at, 'tls'), CODE.conflict, 'delegate virtual service (without hosts) must have no tls route specified')
  if ((spec.tcp ?? []).length > 0)
    refuse(into(at, 'tcp'), CODE.conflict, 'delegate virtual service (without hosts) must have no tcp route specified')
}

function checkHosts(spec: VirtualServiceSpec, at: Site, onlyGateways: boolean): void {
  const sni = (spec.tls ?? []).some(({ match }) => (match ?? []).some(({ sniHosts }) => (sniHosts ?? []).length > 0))
  let valid = true
  each(spec.hosts, at, 'hosts', (host, place) => {
    const problem = hostProblem(host, onlyGateways && sni)
    if (problem !== undefined) {
      if (isIpAddress(host)) return
      refuse(place, CODE.host, problem)
      valid = false
    } else if (!onlyGateways && host === '*') {
      refuse(place, CODE.host, 'wildcard host * is not allowed for virtual services bound to the mesh gateway')
      valid = false
    }
  })
  if (!valid) return
  spec.hosts.forEach((host, i) => {
    const twin = spec.hosts.slice(0, i).find((other) => hostsOverlap(other, host))
    if (twin !== undefined)
      refuse(into(into(at, 'hosts'), i), CODE.duplicate, `duplicate hosts in virtual service: ${twin} & ${host}`)
  })
}

// Names of SNI-DNAT clusters may be SNI hosts on gateways: `outbound_.80_._.host`.
function hostProblem(host: string, sni: boolean): string | undefined {
  return sni && /^outbound_\.[0-8]/.test(host) ? undefined : wildcardDomainProblem(host)
}

function checkNoClaims(spec: VirtualServiceSpec, at: Site): void {
  each(spec.http, at, 'http', (route, place) => {
    each(route.match, place, 'match', (match, where) => {
      for (const field of ['headers', 'withoutHeaders'] as const) {
        for (const name of Object.keys(match[field] ?? {})) {
          if (!isClaimName(name)) continue
          refuse(
            into(into(where, field), name),
            CODE.conflict,
            `JWT claim based routing (key: ${name}) is only supported for gateway: name gateways, without mesh`,
          )
        }
      }
    })
  })
}

function checkTlsRoute(route: TLSRoute, spec: VirtualServiceSpec, at: Site, onlyGateways: boolean): void {
  if ((route.match ?? []).length === 0)
    refuse(into(at, 'match'), CODE.required, 'TLS route must have at least one match condition')
  each(route.match, at, 'match', (match, place) => {
    checkTlsMatch(match, spec, place, onlyGateways)
  })
  if ((route.route ?? []).length === 0) refuse(into(at, 'route'), CODE.required, 'TLS route is required')
  checkRouteDestinations(route, at)
}

function checkTlsMatch(match: TLSMatchAttributes, spec: VirtualServiceSpec, at: Site, onlyGateways: boolean): void {
  if ((match.sniHosts ?? []).length === 0)
    refuse(into(at, 'sniHosts'), CODE.required, 'TLS match must have at least one SNI host')
  each(match.sniHosts, at, 'sniHosts', (host, place) => {
    const problem = hostProblem(host, onlyGateways)
    if (problem !== undefined && isIpAddress(host)) {
      warn(place, CODE.host, `using an IP address ("${host}") goes against SNI spec and most clients do not support this`)
    } else if (problem !== undefined) refuse(place, CODE.host, problem)
    else if (!spec.hosts.some((outer) => hostSubsetOf(host, outer))) {
      refuse(
        place,
        CODE.host,
        `SNI host "${host}" is not a compatible subset of any of the virtual service hosts: [${spec.hosts.join(', ')}]`,
      )
    }
  })
  checkL4Match(match, at)
}

function checkTcpRoute(route: TCPRoute, at: Site): void {
  each(route.match, at, 'match', checkL4Match)
  if ((route.route ?? []).length === 0) refuse(into(at, 'route'), CODE.required, 'TCP route is required')
  checkRouteDestinations(route, at)
}

function checkRouteDestinations(route: TLSRoute | TCPRoute, at: Site): void {
  each(route.route, at, 'route', ({ destination }, place) => {
    checkDestination(destination, into(place, 'destination'))
  })
  checkWeights(route.route, at)
}

function checkL4Match(
  match: Pick<TLSMatchAttributes, 'destinationSubnets' | 'port' | 'sourceLabels' | 'gateways'>,
  at: Site,
): void {
  each(match.destinationSubnets, at, 'destinationSubnets', checkSubnet)
  if (match.port !== undefined && match.port !== 0) checkPort(match.port, into(at, 'port'))
  checkLabels(match.sourceLabels, at, 'sourceLabels')
  each(match.gateways, at, 'gateways', checkGatewayName)
}
