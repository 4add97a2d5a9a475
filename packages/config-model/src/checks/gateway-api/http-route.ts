import { into, refuse, type Site } from '../../decode/site.js'
import type { RouteFilter } from '../../kinds/gateway-api/http-filters.js'
import type { HTTPRoute, HTTPRouteMatch, HTTPRouteRule } from '../../kinds/gateway-api/http-route.js'
import { CODE } from '../code.js'
import { each } from '../each.js'
import { checkHostname } from './listeners.js'

// The rules that the CRD of gateway-api v1.5 has for an HTTPRoute.

export function validateHttpRoute({ spec }: HTTPRoute, at: Site): void {
  each(spec.hostnames ?? [], at, 'hostnames', checkHostname)
  each(spec.rules ?? [], at, 'rules', checkRule)
}

function checkRule(rule: HTTPRouteRule, at: Site): void {
  const { matches = [], filters = [], backendRefs = [], timeouts = {} } = rule
  each(matches, at, 'matches', checkMatch)
  each(filters, at, 'filters', checkFilter)
  checkCombination(filters, at)
  if (filters.some(({ type }) => type === 'RequestRedirect') && backendRefs.length > 0)
    refuse(
      into(at, 'backendRefs'),
      CODE.conflict,
      'RequestRedirect filter must not be used together with backendRefs: remove one',
    )
  checkPrefixReplacement(rule, at)
  each(backendRefs, at, 'backendRefs', ({ kind = 'Service', group = '', port, filters: own = [] }, place) => {
    if (kind === 'Service' && group === '' && port === undefined)
      refuse(into(place, 'port'), CODE.required, 'port is required for a Service')
    each(own, place, 'filters', checkFilter)
    checkCombination(own, place)
  })
  const { request, backendRequest } = timeouts
  if (request !== undefined && backendRequest !== undefined && request !== 0 && backendRequest > request)
    refuse(
      into(into(at, 'timeouts'), 'backendRequest'),
      CODE.conflict,
      'backendRequest timeout cannot be longer than request timeout',
    )
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']
const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/
const NOT_IN_A_PATH = ['//', '/./', '/../', '%2f', '%2F', '#']

function checkMatch({ path, method }: HTTPRouteMatch, at: Site): void {
  if (method !== undefined && !METHODS.includes(method))
    refuse(into(at, 'method'), CODE.invalid, `method must be one of ${METHODS.join(', ')}`)
  if (path?.value === undefined || path.type === 'RegularExpression') return
  const { value } = path
  const site = into(into(at, 'path'), 'value')
  if (!value.startsWith('/')) refuse(site, CODE.invalid, "value must be an absolute path and start with '/'")
  else if (NOT_IN_A_PATH.some((part) => value.includes(part)) || value.endsWith('/..') || value.endsWith('/.'))
    refuse(site, CODE.invalid, `value must not contain ${NOT_IN_A_PATH.join(' ')} nor end with /.. or /.`)
  else if (!PATH.test(value)) refuse(site, CODE.invalid, 'value must only contain characters that a path may have')
}

const FIELD_OF: Readonly<Record<string, keyof RouteFilter>> = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExtensionRef: 'extensionRef',
}

function checkFilter(filter: RouteFilter, at: Site): void {
  const field = FIELD_OF[filter.type]
  if (field !== undefined && filter[field] === undefined)
    refuse(into(at, field), CODE.required, `filter.${field} must be specified for ${filter.type} filter.type`)
  for (const [type, other] of Object.entries(FIELD_OF)) {
    if (other !== field && filter[other] !== undefined)
      refuse(into(at, other), CODE.conflict, `filter.${other} must be nil if the filter.type is not ${type}`)
  }
}

const ONCE = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect', 'URLRewrite', 'CORS']

function checkCombination(filters: readonly RouteFilter[], at: Site): void {
  const site = into(at, 'filters')
  const types = filters.map(({ type }) => type)
  for (const type of ONCE) {
    if (types.filter((one) => one === type).length > 1) refuse(site, CODE.duplicate, `${type} filter cannot be repeated`)
  }
  if (types.includes('RequestRedirect') && types.includes('URLRewrite'))
    refuse(site, CODE.conflict, 'may specify either RequestRedirect or URLRewrite, but not both')
}

/** A prefix can only be replaced where one prefix is matched. */
function checkPrefixReplacement({ matches = [], filters = [] }: HTTPRouteRule, at: Site): void {
  const replaces = filters.some(
    ({ urlRewrite, requestRedirect }) =>
      urlRewrite?.path?.type === 'ReplacePrefixMatch' || requestRedirect?.path?.type === 'ReplacePrefixMatch',
  )
  if (!replaces) return
  const [only] = matches
  const type = only?.path?.type ?? 'PathPrefix'
  if (matches.length > 1 || type !== 'PathPrefix')
    refuse(into(at, 'matches'), CODE.conflict, 'with path.replacePrefixMatch exactly one PathPrefix match must be specified')
}
