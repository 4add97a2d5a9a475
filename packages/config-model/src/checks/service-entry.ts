import { into, refuse, type Site, warn } from '../decode/site.js'
import type { ServiceEntry, ServiceEntrySpec } from '../kinds/service-entry.js'
import { domainProblem } from '../names/host.js'
import { isIpAddress } from '../names/ip.js'
import { isHttp, isTcp, isTls, parseProtocol } from '../names/port-protocol.js'
import { checkSubnet } from './address.js'
import { CODE } from './code.js'
import { each } from './each.js'
import { checkExportTo } from './export-to.js'
import { checkWildcardDomain, isPartialWildcard } from './host.js'
import { checkLabels, checkWorkloadSelector } from './labels.js'
import { checkPort, checkPortName, checkProtocol } from './port.js'
import { checkEntryPorts, checkWorkload } from './workload-entry.js'

export function validateServiceEntry(entry: ServiceEntry, at: Site): void {
  const { metadata, spec } = entry
  checkWorkloadSelector(spec.workloadSelector, at, 'workloadSelector')
  if (spec.workloadSelector !== undefined && spec.endpoints !== undefined) {
    refuse(at, CODE.conflict, 'only one of workloadSelector or endpoints is allowed in Service Entry')
  }
  checkHosts(spec, at)
  each(spec.addresses, at, 'addresses', checkSubnet)
  const resolution = spec.resolution ?? 'NONE'
  if ((spec.addresses ?? []).some((address) => address.includes('/')) && resolution !== 'NONE' && resolution !== 'STATIC') {
    refuse(into(at, 'addresses'), CODE.conflict, 'CIDR addresses are allowed only for NONE/STATIC resolution types')
  }
  checkPorts(entry, at)
  checkResolution(spec, at)
  const ambiguous = (spec.ports ?? []).find(
    ({ protocol = '' }) => !isHttp(parseProtocol(protocol)) && !isTls(parseProtocol(protocol)),
  )
  if (resolution !== 'NONE' && spec.hosts.length > 1 && ambiguous !== undefined) {
    refuse(
      into(at, 'hosts'),
      CODE.conflict,
      `multiple hosts provided with non-HTTP, non-TLS ports: nothing tells the hosts of port ${ambiguous.number} apart`,
    )
  }
  checkExportTo(spec.exportTo, metadata.namespace, at, { allowNone: true })
}

function checkHosts(spec: ServiceEntrySpec, at: Site): void {
  if (spec.hosts.length === 0) refuse(into(at, 'hosts'), CODE.required, 'service entry must have at least one host')
  each(spec.hosts, at, 'hosts', (host, place) => {
    if (host === '*') {
      refuse(place, CODE.host, 'invalid host *: a service entry cannot be for everything')
      return
    }
    checkWildcardDomain(host, place)
    if (isPartialWildcard(host)) warn(place, CODE.host, `partial wildcard "${host}" not allowed: only *.domain`)
  })
}

function checkPorts({ metadata, spec }: ServiceEntry, at: Site): void {
  const names = new Set<string>()
  const numbers = new Set<number>()
  const autoAllocated = metadata.labels['networking.istio.io/enable-autoallocate-ip'] !== 'false' && allocatable(spec)
  each(spec.ports, at, 'ports', (port, place) => {
    if (names.has(port.name))
      refuse(into(place, 'name'), CODE.duplicate, `service entry port name "${port.name}" already defined`)
    if (numbers.has(port.number))
      refuse(into(place, 'number'), CODE.duplicate, `service entry port ${port.number} already defined`)
    names.add(port.name)
    numbers.add(port.number)
    if (port.targetPort !== undefined && port.targetPort !== 0) {
      checkPort(port.targetPort, into(place, 'targetPort'))
    }
    const { protocol = '' } = port
    if ((spec.addresses ?? []).length === 0 && !autoAllocated && (protocol === '' || protocol === 'TCP')) {
      warn(
        place,
        CODE.address,
        'addresses are required for ports serving TCP (or unset) protocol when ISTIO_META_DNS_AUTO_ALLOCATE is not set on a proxy',
      )
    }
    checkPortName(port.name, into(place, 'name'))
    checkProtocol(protocol, into(place, 'protocol'))
    checkPort(port.number, into(place, 'number'))
  })
}

// Entries that get an address of 240.240.0.0/16: those with a resolution and no wildcard host.
function allocatable({ resolution = 'NONE', addresses = [], hosts }: ServiceEntrySpec): boolean {
  return resolution !== 'NONE' && addresses.length === 0 && hosts.some((host) => !host.startsWith('*'))
}

function checkResolution(spec: ServiceEntrySpec, at: Site): void {
  const { resolution = 'NONE', endpoints = [], workloadSelector } = spec
  const portNames = new Set((spec.ports ?? []).map(({ name }) => name))
  if (resolution === 'NONE' && workloadSelector !== undefined) {
    warn(into(at, 'workloadSelector'), CODE.noEffect, `workloadSelector should not be set when resolution mode is ${resolution}`)
  }
  if (resolution === 'NONE' && endpoints.length > 0)
    refuse(into(at, 'endpoints'), CODE.conflict, 'no endpoints should be provided for resolution type none')
  if (resolution === 'STATIC') {
    each(endpoints, at, 'endpoints', (endpoint, place) => {
      checkWorkload(endpoint, place, { allowNames: false, ports: portNames })
    })
  }
  if (resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN') checkDns(spec, at, portNames)
  if (resolution === 'DYNAMIC_DNS') checkDynamicDns(spec, at)
}

function checkDns(spec: ServiceEntrySpec, at: Site, portNames: ReadonlySet<string>): void {
  const { resolution = 'NONE', endpoints = [], hosts, addresses = [], ports = [] } = spec
  if (endpoints.length === 0) {
    each(hosts, at, 'hosts', (host, place) => {
      if (domainProblem(host) !== undefined)
        refuse(place, CODE.host, `hosts must be FQDN if no endpoints are provided for resolution mode ${resolution}`)
    })
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1) {
    refuse(into(at, 'endpoints'), CODE.conflict, `there must only be 0 or 1 endpoint for resolution mode ${resolution}`)
  }
  each(endpoints, at, 'endpoints', (endpoint, place) => {
    if (!isIpAddress(endpoint.address) && domainProblem(endpoint.address) !== undefined) {
      refuse(into(place, 'address'), CODE.address, `endpoint address "${endpoint.address}" is not a valid FQDN or an IP address`)
    }
    checkLabels(endpoint.labels, place, 'labels')
    checkEntryPorts(endpoint, place, portNames)
  })
  if (addresses.length > 0 && hosts.length > 1 && ports.some(({ protocol = '' }) => isTcp(parseProtocol(protocol)))) {
    warn(
      into(at, 'hosts'),
      CODE.conflict,
      'service entry can not have more than one host specified simultaneously with address and tcp port',
    )
  }
}

function checkDynamicDns(spec: ServiceEntrySpec, at: Site): void {
  if ((spec.endpoints ?? []).length > 0)
    refuse(into(at, 'endpoints'), CODE.conflict, 'no endpoints should be provided for resolution type DYNAMIC_DNS')
  if ((spec.addresses ?? []).length > 0)
    refuse(into(at, 'addresses'), CODE.conflict, 'addresses cannot be set for resolution type DYNAMIC_DNS')
  if (spec.location === 'MESH_INTERNAL')
    refuse(
      into(at, 'location'),
      CODE.conflict,
      'resolution DYNAMIC_DNS is for hosts outside of the mesh: location must be MESH_EXTERNAL',
    )
  each(spec.hosts, at, 'hosts', (host, place) => {
    if (!host.startsWith('*.')) refuse(place, CODE.host, 'hosts of resolution DYNAMIC_DNS must begin with *.')
  })
  each(spec.ports, at, 'ports', ({ protocol = '' }, place) => {
    const parsed = parseProtocol(protocol)
    if (!isHttp(parsed) && !isTls(parsed))
      refuse(into(place, 'protocol'), CODE.protocol, 'ports of resolution DYNAMIC_DNS must be HTTP or TLS')
  })
}
