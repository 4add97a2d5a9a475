/** Names of listeners that gRPC libraries ask for. */

/** Of a server: `xds.istio.io/grpc/lds/inbound/0.0.0.0:7070`, `server_listener_resource_name_template` of the bootstrap. */
export const SERVER_LISTENER_PREFIX = 'xds.istio.io/grpc/lds/inbound/'

/** A target `xds:///host:port` of a client, or `xds:///host`, which means every port. */
export interface ClientTarget {
  /** As the client wrote it: listeners are called by it. */
  readonly host: string
  readonly port: number | undefined
}

/** Splits `host:port`, `[::1]:port` or `host`. */
export function parseTarget(name: string): ClientTarget {
  const at = name.lastIndexOf(':')
  const digits = name.slice(at + 1)
  const whole = at < 0 || !/^\d+$/.test(digits) || (name.slice(0, at).includes(':') && !name.startsWith('['))
  return whole ? { host: name, port: undefined } : { host: name.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(digits) }
}

/** The services that a name may mean for a client: the name itself, and the short forms of its own namespace in full. */
export function hostsOf(name: string, namespace: string, dnsDomain: string): readonly string[] {
  if (!name.includes('.')) return [name, `${name}.${dnsDomain}`]
  for (const suffix of [namespace, `${namespace}.svc`]) {
    if (name.endsWith(`.${suffix}`) && dnsDomain.startsWith(suffix))
      return [name, `${name.slice(0, -suffix.length - 1)}.${dnsDomain}`]
  }
  return [name]
}
