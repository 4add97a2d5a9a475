import { into, refuse, type Site, warn } from '../decode/site.js'
import type { WorkloadEntry, WorkloadEntrySpec } from '../kinds/workload-entry.js'
import { domainProblem } from '../names/host.js'
import { isIpAddress } from '../names/ip.js'
import { checkUnixPath, UNIX_PREFIX } from './address.js'
import { CODE } from './code.js'
import { eachEntry } from './each.js'
import { checkLabels } from './labels.js'
import { checkPort, checkPortName } from './port.js'

export function validateWorkloadEntry({ spec }: WorkloadEntry, at: Site): void {
  checkWorkload(spec, at, { allowNames: true })
}

export interface WorkloadRules {
  /** DNS names as addresses, too. */
  allowNames: boolean
  /** Names of the service's ports, when it is known. */
  ports?: ReadonlySet<string>
}

export function checkWorkload(entry: WorkloadEntrySpec, at: Site, { allowNames, ports }: WorkloadRules): void {
  const { address, network = '' } = entry
  const place = into(at, 'address')
  if (address === '' && network === '') {
    refuse(place, CODE.required, 'address is required')
    return
  }
  if (address === '') warn(place, CODE.address, `address is unset with network "${network}"`)
  const unix = address.startsWith(UNIX_PREFIX)
  if (unix) {
    checkUnixPath(address.slice(UNIX_PREFIX.length), place)
    if (Object.keys(entry.ports ?? {}).length > 0)
      refuse(into(at, 'ports'), CODE.conflict, `unix endpoint ${address} must not include ports`)
    if (ports !== undefined && ports.size !== 1)
      refuse(place, CODE.conflict, 'exactly 1 service port required for unix endpoints')
  } else if (address !== '' && !isIpAddress(address)) {
    if (!allowNames) refuse(place, CODE.address, `endpoint address "${address}" is not a valid IP address`)
    else if (domainProblem(address) !== undefined)
      refuse(place, CODE.address, `endpoint address "${address}" is not a valid FQDN or an IP address`)
  }
  checkEntryPorts(entry, at, ports)
  checkLabels(entry.labels, at, 'labels')
}

export function checkEntryPorts(entry: WorkloadEntrySpec, at: Site, ports: ReadonlySet<string> | undefined): void {
  eachEntry(entry.ports, at, 'ports', (name, port, place) => {
    if (ports !== undefined && !ports.has(name))
      refuse(place, CODE.invalid, `endpoint port ${name} is not defined by the service entry`)
    checkPortName(name, place)
    checkPort(port, place)
  })
}
