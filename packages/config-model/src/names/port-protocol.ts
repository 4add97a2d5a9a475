import type { PortProtocol } from '../catalog/service.js'

const BY_NAME: Readonly<Record<string, PortProtocol>> = {
  tcp: 'TCP',
  udp: 'UDP',
  grpc: 'GRPC',
  'grpc-web': 'GRPC-Web',
  http: 'HTTP',
  http_proxy: 'HTTP_PROXY',
  http2: 'HTTP2',
  https: 'HTTPS',
  tls: 'TLS',
  mongo: 'MONGO',
  redis: 'REDIS',
  mysql: 'MYSQL',
  hbone: 'HBONE',
  double_hbone: 'DOUBLE_HBONE',
}

/** A protocol by its name in any case; `Unsupported` when it has none: the proxy looks at the bytes. */
export function parseProtocol(name: string): PortProtocol {
  const lower = name.toLowerCase()
  return (Object.hasOwn(BY_NAME, lower) ? BY_NAME[lower] : undefined) ?? 'Unsupported'
}

// Ports whose servers speak first (SMTP, DNS, MySQL, MongoDB): a proxy that waits for the client's bytes would hang them.
const SERVER_FIRST_PORTS: readonly number[] = [25, 53, 3306, 27017]

// appProtocol names that Kubernetes defines (KEP-3726).
const KUBERNETES_APP_PROTOCOLS: Readonly<Record<string, PortProtocol>> = {
  'kubernetes.io/h2c': 'HTTP2',
  'kubernetes.io/ws': 'HTTP',
  'kubernetes.io/wss': 'HTTPS',
}

/** Istio's protocol selection for a Kubernetes port: appProtocol, else the part of the port's name before the first dash. */
export function kubernetesPortProtocol(port: {
  name: string
  port: number
  protocol: string
  appProtocol?: string
}): PortProtocol {
  if (port.protocol === 'UDP') return 'UDP'
  const known = port.appProtocol === undefined ? undefined : KUBERNETES_APP_PROTOCOLS[port.appProtocol]
  if (known !== undefined) return known
  const name = port.appProtocol ?? port.name
  if (name.slice(0, 'grpc-web'.length).toLowerCase() === 'grpc-web') return 'GRPC-Web'
  const dash = name.indexOf('-')
  const protocol = parseProtocol(dash < 0 ? name : name.slice(0, dash))
  return protocol === 'Unsupported' && SERVER_FIRST_PORTS.includes(port.port) ? 'TCP' : protocol
}

const HTTP_LIKE: ReadonlySet<PortProtocol> = new Set(['HTTP', 'HTTP2', 'HTTP_PROXY', 'GRPC', 'GRPC-Web'])
/** HTTP in plain text. */
export function isHttp(protocol: PortProtocol): boolean {
  return HTTP_LIKE.has(protocol)
}

const TCP_LIKE: ReadonlySet<PortProtocol> = new Set(['TCP', 'HTTPS', 'TLS', 'MONGO', 'REDIS', 'MYSQL'])
/** Carried as bytes. */
export function isTcp(protocol: PortProtocol): boolean {
  return TCP_LIKE.has(protocol)
}

export function isTls(protocol: PortProtocol): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS'
}
