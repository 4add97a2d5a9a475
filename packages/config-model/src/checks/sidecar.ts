import { into, refuse, type Site, warn } from '../decode/site.js'
import type { IstioEgressListener, IstioIngressListener, OutboundTrafficPolicy, Sidecar, SidecarPort } from '../kinds/sidecar.js'
import { isHttp, parseProtocol } from '../names/port-protocol.js'
import { checkIpAddress, checkUnixPath, UNIX_PREFIX } from './address.js'
import { CODE } from './code.js'
import { checkDestination } from './destination.js'
import { each } from './each.js'
import { checkDomain, checkNamespacedHost } from './host.js'
import { checkWorkloadSelector } from './labels.js'
import { checkPort, checkPortName, checkProtocol } from './port.js'
import { checkServerTls } from './tls.js'
import { checkConnectionPool } from './traffic-policy.js'

export function validateSidecar({ metadata, spec }: Sidecar, at: Site): void {
  checkWorkloadSelector(spec.workloadSelector, at, 'workloadSelector')
  const { ingress = [], egress = [], outboundTrafficPolicy, inboundConnectionPool } = spec
  if (ingress.length === 0 && egress.length === 0 && outboundTrafficPolicy === undefined && inboundConnectionPool === undefined) {
    refuse(at, CODE.required, 'sidecar: empty configuration provided')
  }
  const ports = new Set<number>()
  each(ingress, at, 'ingress', (listener, place) => {
    if (ports.has(listener.port.number))
      refuse(into(place, 'port'), CODE.duplicate, 'sidecar: ports on IP bound listeners must be unique')
    ports.add(listener.port.number)
    checkIngress(listener, place)
  })
  checkConnectionPool(inboundConnectionPool, into(at, 'inboundConnectionPool'))
  checkEgress(egress, metadata.namespace, at)
  if (outboundTrafficPolicy !== undefined) checkOutbound(outboundTrafficPolicy, into(at, 'outboundTrafficPolicy'))
}

function checkIngress(listener: IstioIngressListener, at: Site): void {
  const { port, bind = '', defaultEndpoint = '', tls, connectionPool } = listener
  checkListenerPort(port, into(at, 'port'))
  checkPort(port.number, into(into(at, 'port'), 'number'))
  if (bind !== '') checkIpAddress(bind, into(at, 'bind'))
  if (defaultEndpoint !== '') checkDefaultEndpoint(defaultEndpoint, into(at, 'defaultEndpoint'))
  if (tls !== undefined) {
    const place = into(at, 'tls')
    if ((tls.subjectAltNames ?? []).length > 0)
      refuse(into(place, 'subjectAltNames'), CODE.noEffect, 'sidecar: subjectAltNames is not supported in ingress tls')
    if (tls.httpsRedirect === true) refuse(into(place, 'httpsRedirect'), CODE.noEffect, 'sidecar: httpsRedirect is not supported')
    if ((tls.credentialName ?? '') !== '')
      refuse(into(place, 'credentialName'), CODE.noEffect, 'sidecar: credentialName is not currently supported')
    if ((tls.credentialNames ?? []).length > 0)
      refuse(into(place, 'credentialNames'), CODE.noEffect, 'sidecar: credentialNames is not currently supported')
    if ((tls.tlsCertificates ?? []).length > 0)
      refuse(into(place, 'tlsCertificates'), CODE.noEffect, 'sidecar: tlsCertificates is not currently supported')
    if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH') {
      refuse(into(place, 'mode'), CODE.invalid, `configuration is invalid: cannot set mode to ${tls.mode} in sidecar ingress tls`)
    }
    checkServerTls(tls, place)
  }
  checkConnectionPool(connectionPool, into(at, 'connectionPool'))
  if (connectionPool?.http !== undefined && !isHttp(parseProtocol(port.protocol ?? ''))) {
    warn(
      into(at, 'connectionPool'),
      CODE.noEffect,
      `sidecar: HTTP connection pool settings have no effect on port ${port.number}, whose protocol is not HTTP (${port.protocol ?? ''})`,
    )
  }
}

function checkListenerPort(port: SidecarPort, at: Site): void {
  if ((port.targetPort ?? 0) > 0) refuse(into(at, 'targetPort'), CODE.noEffect, 'targetPort has no impact on Sidecars: remove it')
  if (port.name !== undefined && port.name !== '') checkPortName(port.name, into(at, 'name'))
  checkProtocol(port.protocol, into(at, 'protocol'))
}

const LOCAL_HOSTS: readonly string[] = ['', '127.0.0.1', '0.0.0.0', '::1', '::']
const ENDPOINT_FORMS = '127.0.0.1:<port>, 0.0.0.0:<port>, [::1]:<port>, [::]:<port>, unix://filepath or unset'

function checkDefaultEndpoint(endpoint: string, at: Site): void {
  if (endpoint.startsWith(UNIX_PREFIX)) {
    checkUnixPath(endpoint.slice(UNIX_PREFIX.length), at)
    return
  }
  const parts = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(endpoint)
  const port = parts?.[3] ?? ''
  if (parts === null || !LOCAL_HOSTS.includes(parts[1] ?? parts[2] ?? '')) {
    refuse(at, CODE.address, `sidecar: defaultEndpoint must be of form ${ENDPOINT_FORMS}`)
  } else if (!/^\d+$/.test(port)) refuse(at, CODE.port, `sidecar: defaultEndpoint port (${port}) is not a number`)
  else checkPort(Number(port), at)
}

function checkEgress(egress: readonly IstioEgressListener[], namespace: string, site: Site): void {
  const ports = new Set<number>()
  const sockets = new Set<string>()
  each(egress, site, 'egress', (listener, at, i) => {
    const { port, bind = '', hosts } = listener
    if (port === undefined) {
      if (i !== egress.length - 1)
        refuse(at, CODE.conflict, 'sidecar: the egress listener with empty port should be the last listener in the list')
    } else {
      checkEgressPort(listener, port, at)
      const taken = port.number === 0 ? sockets.has(bind) : ports.has(port.number)
      if (taken && port.number === 0)
        refuse(into(at, 'bind'), CODE.duplicate, 'sidecar: unix domain socket values for listeners must be unique')
      else if (taken) refuse(into(at, 'port'), CODE.duplicate, 'sidecar: ports on IP bound listeners must be unique')
      if (port.number === 0) sockets.add(bind)
      else ports.add(port.number)
    }
    if (hosts.length === 0) refuse(into(at, 'hosts'), CODE.required, 'sidecar: egress listener must contain at least one host')
    each(hosts, at, 'hosts', (host, place) => {
      checkNamespacedHost(host, 'sidecar', place)
    })
    warnRedundantHosts(hosts, namespace, into(at, 'hosts'))
  })
}

function checkEgressPort({ bind = '', captureMode = 'DEFAULT' }: IstioEgressListener, port: SidecarPort, at: Site): void {
  checkListenerPort(port, into(at, 'port'))
  if (port.number !== 0) {
    checkPort(port.number, into(into(at, 'port'), 'number'))
    if (bind !== '') checkIpAddress(bind, into(at, 'bind'))
    return
  }
  if (!bind.startsWith(UNIX_PREFIX))
    refuse(into(at, 'bind'), CODE.address, 'sidecar: ports with 0 value must have a unix domain socket bind address')
  else checkUnixPath(bind.slice(UNIX_PREFIX.length), into(at, 'bind'))
  if (captureMode !== 'DEFAULT' && captureMode !== 'NONE') {
    refuse(into(at, 'captureMode'), CODE.conflict, 'sidecar: captureMode must be DEFAULT/NONE for unix domain socket listeners')
  }
}

function warnRedundantHosts(hosts: readonly string[], own: string, at: Site): void {
  const byNamespace = new Map<string, Set<string>>()
  hosts.forEach((host, i) => {
    const slash = host.indexOf('/')
    if (slash < 0 || /^~./.test(host.slice(0, slash))) return
    const namespace = host.slice(0, slash) === '.' ? own : host.slice(0, slash)
    const name = host.slice(slash + 1)
    const known = byNamespace.get(namespace) ?? new Set<string>()
    if (name === '*' ? known.size > 0 : known.has(name) || known.has('*'))
      warn(into(at, i), CODE.duplicate, `duplicated egress host: ${host}`)
    byNamespace.set(namespace, known.add(name))
  })
  if (byNamespace.get('*')?.has('*') === true && byNamespace.size > 1) {
    warn(at, CODE.duplicate, '`*/*` host select all resources, no other hosts can be added')
  }
}

function checkOutbound({ mode, egressProxy }: OutboundTrafficPolicy, at: Site): void {
  if (egressProxy === undefined) return
  const place = into(at, 'egressProxy')
  if (mode !== 'ALLOW_ANY') {
    refuse(place, CODE.conflict, 'sidecar: egressProxy must be set only with ALLOW_ANY outboundTrafficPolicy mode')
    return
  }
  checkDomain(egressProxy.host, into(place, 'host'))
  if (egressProxy.port === undefined) refuse(into(place, 'port'), CODE.required, 'sidecar: egressProxy port must be set')
  else checkDestination(egressProxy, place)
}
