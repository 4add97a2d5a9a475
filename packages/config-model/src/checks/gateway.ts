import { into, refuse, type Site, warn } from '../decode/site.js'
import type { Gateway, Server } from '../kinds/gateway.js'
import { isDnsLabel } from '../names/host.js'
import { isHttp, isTls, parseProtocol } from '../names/port-protocol.js'
import { checkIpAddress, checkUnixPath, UNIX_PREFIX } from './address.js'
import { CODE } from './code.js'
import { each } from './each.js'
import { checkNamespacedHost } from './host.js'
import { checkPort } from './port.js'
import { checkServerTls } from './tls.js'

export function validateGateway({ metadata, spec }: Gateway, at: Site): void {
  // Gateways that are made from Gateway API resources carry names and hosts of their own shape.
  const converted = metadata.annotations['internal.istio.io/gateway-semantics'] === 'gateway'
  if (!isDnsLabel(metadata.name) && !converted)
    refuse(at, CODE.invalid, `invalid gateway name: "${metadata.name}": letters, digits and inner dashes`)
  if (spec.servers.length === 0) refuse(into(at, 'servers'), CODE.required, 'gateway must have at least one server')
  const names = new Set<string>()
  each(spec.servers, at, 'servers', (server, place) => {
    checkServer(server, place, converted)
    const { name, protocol } = server.port
    if (names.has(name))
      refuse(into(into(place, 'port'), 'name'), CODE.duplicate, `port names in servers must be unique: duplicate name ${name}`)
    names.add(name)
    if (server.tls?.httpsRedirect === true && !isHttp(parseProtocol(protocol))) {
      warn(into(into(place, 'tls'), 'httpsRedirect'), CODE.noEffect, 'tls.httpsRedirect should only be used with http servers')
    }
  })
}

function checkServer(server: Server, at: Site, converted: boolean): void {
  if (server.hosts.length === 0) refuse(into(at, 'hosts'), CODE.required, 'server config must contain at least one host')
  each(server.hosts, at, 'hosts', (host, place) => {
    checkNamespacedHost(converted ? host.replace(/^~\//, '*/') : host, 'gateway', place)
  })
  const portValid = checkServerPort(server, into(at, 'port'))
  checkBind(server, into(at, 'bind'))
  checkServerTls(server.tls, into(at, 'tls'))
  if (portValid) checkTlsFitsProtocol(server, into(at, 'tls'))
}

function checkServerPort({ port, bind = '' }: Server, at: Site): boolean {
  const before = at.found.length
  if (parseProtocol(port.protocol) === 'Unsupported') {
    refuse(
      into(at, 'protocol'),
      CODE.protocol,
      `invalid protocol "${port.protocol}", supported protocols are HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TLS, TCP, MONGO, REDIS, MYSQL`,
    )
  }
  if (port.number > 0 || !bind.startsWith(UNIX_PREFIX)) checkPort(port.number, into(at, 'number'))
  if ((port.targetPort ?? 0) > 0) refuse(into(at, 'targetPort'), CODE.noEffect, 'targetPort has no impact on Gateways: remove it')
  if (port.name === '') refuse(into(at, 'name'), CODE.required, 'port name must be set')
  return at.found.length === before
}

function checkBind({ port, bind = '' }: Server, at: Site): void {
  if (bind.startsWith(UNIX_PREFIX)) {
    checkUnixPath(bind.slice(UNIX_PREFIX.length), at)
    if (port.number !== 0) refuse(at, CODE.conflict, 'port number must be 0 for unix domain socket')
  } else if (bind !== '') checkIpAddress(bind, at)
}

function checkTlsFitsProtocol({ port, tls }: Server, at: Site): void {
  const protocol = parseProtocol(port.protocol)
  if (isTls(protocol)) {
    if (tls === undefined) refuse(at, CODE.required, 'server must have TLS settings for HTTPS/TLS protocols')
  } else if (tls !== undefined && isHttp(protocol)) {
    const passthrough = tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH'
    if (!passthrough || (tls.caCertificates ?? '') + (tls.privateKey ?? '') + (tls.serverCertificate ?? '') !== '') {
      refuse(
        at,
        CODE.conflict,
        'server cannot have TLS settings for plain text HTTP ports: only httpsRedirect, or protocol HTTPS',
      )
    }
  } else if (tls !== undefined) refuse(at, CODE.conflict, 'server cannot have TLS settings for non HTTPS/TLS ports')
}
