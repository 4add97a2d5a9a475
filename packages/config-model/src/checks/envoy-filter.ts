import { into, refuse, type Site, warn } from '../decode/site.js'
import type { EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, EnvoyFilter, EnvoyFilterApplyTo } from '../kinds/envoy-filter.js'
import { CODE } from './code.js'
import { each } from './each.js'
import { checkWorkloadSelector } from './labels.js'
import { regexProblem } from './regex.js'

const HCM = 'envoy.filters.network.http_connection_manager'
const MAX_VERSION_REGEX = 1024

export function validateEnvoyFilter({ spec }: EnvoyFilter, at: Site): void {
  checkWorkloadSelector(spec.workloadSelector, at, 'workloadSelector')
  if (spec.workloadSelector !== undefined && (spec.targetRefs ?? []).length > 0) {
    refuse(at, CODE.conflict, 'only one of targetRefs or workloadSelector can be set')
  }
  each(spec.configPatches, at, 'configPatches', checkPatch)
}

function checkPatch(patch: EnvoyConfigObjectPatch, at: Site): void {
  const { applyTo, match, patch: change } = patch
  if (applyTo === 'INVALID') refuse(into(at, 'applyTo'), CODE.required, 'Envoy filter: missing applyTo')
  if (change.operation === 'INVALID')
    refuse(into(into(at, 'patch'), 'operation'), CODE.required, 'Envoy filter: missing patch operation')
  else if (change.operation !== 'REMOVE' && change.value === undefined) {
    refuse(into(into(at, 'patch'), 'value'), CODE.required, 'Envoy filter: missing patch value for non-remove operation')
  }
  if (match !== undefined) checkMatch(match, applyTo, into(at, 'match'))
  checkOldTypes(change.value, into(into(at, 'patch'), 'value'))
}

function checkMatch(match: EnvoyConfigObjectMatch, applyTo: EnvoyFilterApplyTo, at: Site): void {
  const version = match.proxy?.proxyVersion ?? ''
  const place = into(into(at, 'proxy'), 'proxyVersion')
  if (version.length > MAX_VERSION_REGEX)
    warn(place, CODE.noEffect, 'Envoy filter: proxyVersion match exceeds 1024 characters and will be ignored')
  else if (version !== '') {
    const problem = regexProblem(version)
    if (problem !== undefined) refuse(place, CODE.regex, `Envoy filter: invalid regex for proxy version, [${problem}]`)
  }
  const objects = (['listener', 'routeConfiguration', 'cluster', 'waypoint'] as const).filter(
    (object) => match[object] !== undefined,
  )
  if (objects.length > 1) refuse(at, CODE.conflict, `only one of ${objects.join(', ')} may be set`)
  if ((match.context === 'WAYPOINT') !== (match.waypoint !== undefined) && objects.length > 0) {
    refuse(at, CODE.conflict, 'only support waypointMatch when context is WAYPOINT')
    return
  }
  if (match.waypoint !== undefined || objects.length === 0) return
  const wanted = objectOf(applyTo)
  if (wanted !== undefined && match[wanted.object] === undefined) {
    refuse(at, CODE.conflict, `Envoy filter: applyTo for ${wanted.name} class objects cannot have non ${wanted.matchName} match`)
  } else checkListenerMatch(match.listener, applyTo, into(at, 'listener'))
}

interface Wanted {
  object: 'listener' | 'routeConfiguration' | 'cluster'
  name: string
  matchName: string
}

function objectOf(applyTo: EnvoyFilterApplyTo): Wanted | undefined {
  if (['LISTENER', 'FILTER_CHAIN', 'NETWORK_FILTER', 'HTTP_FILTER', 'LISTENER_FILTER'].includes(applyTo))
    return { object: 'listener', name: 'listener', matchName: 'listener' }
  if (['ROUTE_CONFIGURATION', 'VIRTUAL_HOST', 'HTTP_ROUTE'].includes(applyTo))
    return { object: 'routeConfiguration', name: 'http route', matchName: 'route configuration' }
  return applyTo === 'CLUSTER' ? { object: 'cluster', name: 'cluster', matchName: 'cluster' } : undefined
}

function checkListenerMatch(listener: EnvoyConfigObjectMatch['listener'], applyTo: EnvoyFilterApplyTo, site: Site): void {
  const filter = listener?.filterChain?.filter
  if (filter === undefined) return
  const at = into(into(site, 'filterChain'), 'filter')
  if (applyTo === 'LISTENER' || applyTo === 'FILTER_CHAIN')
    warn(at, CODE.noEffect, `Envoy filter: filter match has no effect when used with ${applyTo}`)
  if ((filter.name ?? '') === '') refuse(into(at, 'name'), CODE.required, 'Envoy filter: filter match has no name to match on')
  else if (filter.subFilter !== undefined) {
    const place = into(at, 'subFilter')
    if (applyTo !== 'HTTP_FILTER')
      refuse(place, CODE.conflict, 'Envoy filter: subfilter match can be used with applyTo HTTP_FILTER only')
    else if (filter.name !== HCM && filter.name !== 'envoy.http_connection_manager') {
      refuse(place, CODE.conflict, `Envoy filter: subfilter match requires filter match with ${HCM}`)
    } else if ((filter.subFilter.name ?? '') === '')
      refuse(into(place, 'name'), CODE.required, 'Envoy filter: subfilter match has no name to match on')
  }
}

// Types of Envoy's v2 API are gone from every data plane.
function checkOldTypes(value: unknown, at: Site): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    value.forEach((element, i) => {
      checkOldTypes(element, into(at, i))
    })
    return
  }
  for (const [key, child] of Object.entries(value)) {
    const place = into(at, key)
    if (
      (key === '@type' || key === 'type_url') &&
      typeof child === 'string' &&
      /\.v[12](?:alpha\d*)?\.|envoy\.api\.v2|\/envoy\.config\.filter\./.test(child) &&
      !/\.v3/.test(child)
    ) {
      if (/\.v2\./.test(child) || child.includes('envoy.api.v2'))
        refuse(place, CODE.invalid, `${child}: referenced type unknown (hint: try using the v3 XDS API)`)
    } else checkOldTypes(child, place)
  }
}
