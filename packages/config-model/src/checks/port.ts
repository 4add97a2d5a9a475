import { refuse, type Site } from '../decode/site.js'
import { isDnsLabel } from '../names/host.js'
import { parseProtocol } from '../names/port-protocol.js'
import { CODE } from './code.js'

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65535
}

export function checkPort(port: number, at: Site): void {
  if (!isPort(port)) refuse(at, CODE.port, `port number ${port} must be in the range 1..65535`)
}

export function checkPortName(name: string, at: Site): void {
  if (!isDnsLabel(name)) refuse(at, CODE.port, `invalid port name: "${name}": letters, digits and inner dashes`)
}

/** Absent and '' are sniffed. */
export function checkProtocol(protocol: string | undefined, at: Site): void {
  if (protocol === undefined || protocol === '' || parseProtocol(protocol) !== 'Unsupported') return
  refuse(
    at,
    CODE.protocol,
    `unsupported protocol: ${protocol}: one of HTTP, HTTP2, GRPC, GRPC-WEB, HTTPS, TLS, TCP, MONGO, REDIS, MYSQL, UDP`,
  )
}
