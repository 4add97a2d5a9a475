import type { MeshService } from '@heddle/config-model'
import { type Build, vips } from '../build.js'
import { familiesOf, reachableAddresses } from '../families.js'
import { shortNames } from '../hosts.js'
import { bracketed, hostWithPort } from '../names.js'

/** Names of a host, and what each is told from others by. */
export interface Domains {
  readonly names: readonly string[]
  /** In lower case. */
  readonly keys: readonly string[]
  /** Short forms never take the name of a real host. */
  readonly short: readonly boolean[]
}

export function plainDomains(names: readonly string[]): Domains {
  return { names, keys: names.map((name) => name.toLowerCase()), short: NONE_SHORT }
}

const NONE_SHORT: readonly boolean[] = []

/** Every name by which a proxy may call a service: FQDN with and without the root dot, short names, `*.` of headless ones, VIPs. With a port each stands twice. */
export function serviceDomains(build: Build, service: MeshService, port: number | undefined): Domains {
  const withPort = (domain: string): string[] =>
    port === undefined ? [bracketed(domain)] : [bracketed(domain), hostWithPort(domain, port)]
  const aliases = build.view.aliasesOf(service.hostname)
  const names = shortNames(service.hostname, build.proxy.dnsDomain)
  if (service.registry === 'External' && aliases.length === 0 && names.length === 0) return ownDomains(build, service, port)
  const short = [service.hostname, ...aliases].flatMap((h) => shortNames(h, build.proxy.dnsDomain)).flatMap(withPort)
  const domains = [service.hostname, ...aliases].flatMap((h) => [
    ...withPort(h),
    ...(build.features.absoluteDomains ? withPort(`${h}.`) : []),
    ...shortNames(h, build.proxy.dnsDomain).flatMap(withPort),
  ])
  if (service.resolution === 'Passthrough' && service.registry === 'Kubernetes') domains.push(...domains.map((d) => `*.${d}`))
  domains.push(...calledAddresses(build, service).flatMap(withPort))
  return { ...plainDomains(domains), short: domains.map((domain) => short.includes(domain)) }
}

/** Of a service without other names. */
function ownDomains(build: Build, service: MeshService, port: number | undefined): Domains {
  const names: string[] = []
  const add = (domain: string): void => {
    names.push(bracketed(domain))
    if (port !== undefined) names.push(hostWithPort(domain, port))
  }
  add(service.hostname)
  if (build.features.absoluteDomains) add(`${service.hostname}.`)
  for (const address of calledAddresses(build, service)) add(address)
  return plainDomains(names)
}

/** Of a Service those that the proxy can reach; those of a ServiceEntry are all its own. */
function calledAddresses(build: Build, service: MeshService): readonly string[] {
  const all = vips(service)
  const given = service.registry === 'External' && service.allocated !== true
  return given ? all : reachableAddresses(all, familiesOf(build), true)
}
