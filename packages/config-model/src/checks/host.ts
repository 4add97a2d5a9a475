import { refuse, type Site } from '../decode/site.js'
import { domainProblem, isDnsLabel, wildcardDomainProblem } from '../names/host.js'
import { isIpAddress } from '../names/ip.js'
import { CODE } from './code.js'

/** A fully qualified name. */
export function checkDomain(domain: string, at: Site): void {
  const problem = domainProblem(domain)
  if (problem !== undefined) refuse(at, CODE.host, problem)
}

/** A name that may begin with a wildcard. */
export function checkWildcardDomain(domain: string, at: Site): void {
  const problem = wildcardDomainProblem(domain)
  if (problem !== undefined) refuse(at, CODE.host, problem)
}

/** `*ab` and the like: only `*` and `*.` are wildcards. */
export function isPartialWildcard(host: string): boolean {
  return host.includes('*') && host !== '*' && !host.startsWith('*.')
}

/** `namespace/host` of a Gateway server (where the namespace may be left out) or of Sidecar egress. */
export function checkNamespacedHost(host: string, owner: 'gateway' | 'sidecar', at: Site): void {
  const slash = host.indexOf('/')
  if (slash < 0) {
    if (owner === 'gateway') checkHostPart(host, owner, at)
    else
      refuse(at, CODE.host, `host must be of form namespace/dnsName, such as ./${host} for a host of this namespace or */${host}`)
    return
  }
  const namespace = host.slice(0, slash)
  const name = host.slice(slash + 1)
  if (namespace === '' || name === '') refuse(at, CODE.host, 'neither the namespace nor the dnsName of a host may be empty')
  const special = owner === 'sidecar' ? ['*', '.', '~'] : ['*', '.']
  // `~namespace` takes a namespace out again.
  const named = owner === 'sidecar' ? namespace.replace(/^~(?=.)/, '') : namespace
  if (!special.includes(namespace) && !isDnsLabel(named)) {
    refuse(at, CODE.host, `invalid namespace value "${namespace}" in ${owner}: a namespace, or one of ${special.join(' ')}`)
  }
  checkHostPart(name, owner, at)
}

function checkHostPart(host: string, owner: 'gateway' | 'sidecar', at: Site): void {
  if (host !== '*' && !host.includes('.'))
    refuse(at, CODE.host, `short names (non FQDN) are not allowed: write ${host}.<namespace>.svc.cluster.local`)
  const problem = wildcardDomainProblem(host)
  if (problem !== undefined && !(owner === 'gateway' && isIpAddress(host))) refuse(at, CODE.host, problem)
  if (isPartialWildcard(host)) refuse(at, CODE.host, `partial wildcard "${host}" not allowed: only * and *.domain`)
}

/** Names of gateways as VirtualServices have them: `namespace/name`, `name`, `mesh`. */
export function checkGatewayName(name: string, at: Site): void {
  const slash = name.indexOf('/')
  if (slash < 0) {
    checkDomain(name, at)
    return
  }
  const namespace = name.slice(0, slash)
  const gateway = name.slice(slash + 1)
  if (!isDnsLabel(namespace)) refuse(at, CODE.host, `invalid value for namespace: "${namespace}"`)
  if (!isDnsLabel(gateway)) refuse(at, CODE.host, `invalid value for gateway name: "${gateway}"`)
}
