import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { CookieMatcher, RouteMatch, RouteMatch_TlsContextMatchOptions } from '@heddle/xds-types/envoy/config/route/v3'
import type { UriTemplateMatchConfig } from '@heddle/xds-types/envoy/extensions/path/match/uri_template/v3'
import { compileHeaderMatcher } from '../matcher/header.js'
import { compileQueryMatcher } from '../matcher/query.js'
import { compileRegexMatcher, compileStringMatcher, NEVER, stringMatcher } from '../matcher/string.js'
import { compileUriTemplate, type UriTemplate } from '../matcher/uri-template.js'
import { compileMetadataMatcher } from '../matcher/value.js'
import {
  CONNECT,
  cookiePredicate,
  fractionPredicate,
  GRPC,
  headerPredicate,
  metadataPredicate,
  pathPredicate,
  queryPredicate,
  type RoutePredicate,
  separatedPrefix,
  tlsPredicate,
} from '../route/match.js'
import type { Runtime } from '../runtime.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileRuntimeShare } from './fraction.js'

export interface CompiledMatch {
  /** In the order they are asked: the path first, chance last. */
  readonly predicates: readonly RoutePredicate[]
  /** How much of the path a prefix_rewrite replaces; undefined: all of it. */
  readonly matchedLength: number | undefined
  /** For people: `prefix "/api"`. */
  readonly pathText: string
  /** Of a path_match_policy: what a path_rewrite_policy may build on. */
  readonly template?: UriTemplate
}

export function compileRouteMatch(fields: Fields<RouteMatch>, runtime?: Runtime): CompiledMatch {
  const path = compilePath(fields)
  const predicates = [
    ...path.predicates,
    ...fields.messages('headers').map((each) => headerPredicate(compileHeaderMatcher(each))),
    ...fields.messages('query_parameters').map((each) => queryPredicate(compileQueryMatcher(each))),
  ]
  predicates.push(...fields.messages('dynamic_metadata').map((each) => metadataPredicate(compileMetadataMatcher(each))))
  predicates.push(...fields.messages('cookies').map(compileCookie))
  const grpc = fields.message('grpc')
  grpc?.done()
  if (grpc !== undefined) predicates.push(GRPC)
  const tls = fields.message('tls_context')
  if (tls !== undefined) predicates.push(compileTlsPredicate(tls))
  const fraction = fields.message('runtime_fraction')
  if (fraction !== undefined) predicates.push(fractionPredicate(compileRuntimeShare(fraction, 1, runtime)))
  fields.done()
  return { ...path, predicates }
}

function compileCookie(fields: Fields<CookieMatcher>): RoutePredicate {
  const name = fields.string('name')
  const string = fields.message('string_match')
  const matcher = string && compileStringMatcher(string)
  const invert = fields.boolean('invert_match')
  fields.done()
  if (name === '') fields.problem('is required.', 'name')
  if (matcher === undefined) fields.problem('is required.', 'string_match')
  return cookiePredicate({ name, matcher: matcher ?? NEVER, invert })
}

function compilePath(fields: Fields<RouteMatch>): CompiledMatch {
  const ignoreCase = !fields.boolean('case_sensitive', true)
  const one = (matcher: ReturnType<typeof stringMatcher>, matchedLength: number | undefined): CompiledMatch => ({
    predicates: [pathPredicate(matcher)],
    matchedLength,
    pathText: matcher.text,
  })
  if (fields.has('prefix')) {
    const prefix = fields.string('prefix')
    return one(stringMatcher('prefix', prefix, ignoreCase), prefix.length)
  }
  if (fields.has('path')) return one(stringMatcher('exact', fields.string('path'), ignoreCase), undefined)
  if (fields.has('path_separated_prefix')) {
    const prefix = fields.string('path_separated_prefix')
    if (!prefix.startsWith('/') || prefix.endsWith('/'))
      fields.problem('must start with "/" and must not end with one.', 'path_separated_prefix')
    return one(separatedPrefix(prefix, ignoreCase), prefix.length)
  }
  const regex = fields.message('safe_regex')
  if (regex !== undefined) return one(compileRegexMatcher(regex), undefined)
  const connect = fields.message('connect_matcher')
  connect?.done()
  if (connect !== undefined) return { predicates: [CONNECT], matchedLength: undefined, pathText: 'CONNECT' }
  const policy = fields.message('path_match_policy')
  const template = policy && compilePathTemplate(policy)
  if (template !== undefined) {
    const text = `template ${JSON.stringify(template.text)}`
    return { ...one({ matches: (path) => template.regex.matchesAll(path), text }, undefined), template }
  }
  if (policy === undefined) fields.problem('needs one of prefix, path, safe_regex, path_separated_prefix, connect_matcher.')
  return { predicates: [], matchedLength: undefined, pathText: 'nothing' }
}

const TEMPLATE = 'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig'

/** The uri_template extension, for routes and for RBAC. */
export function compilePathTemplate(fields: Fields<TypedExtensionConfig>): UriTemplate | undefined {
  const config = fields.any('typed_config')
  fields.done({ name: 'the type decides' })
  if (config?.typeName !== TEMPLATE) {
    fields.problem(`${config?.typeName ?? 'nothing'} is not supported: only uri_template is.`, 'typed_config')
    return undefined
  }
  const inner = fieldsOf<UriTemplateMatchConfig>(config, fields as Fields<never>)
  const template = inner.take(compileUriTemplate(inner.string('path_template'), `${inner.path}.path_template`))
  inner.done()
  return template
}

function compileTlsPredicate(fields: Fields<RouteMatch_TlsContextMatchOptions>): RoutePredicate {
  const presented = fields.has('presented') ? fields.boolean('presented') : undefined
  const validated = fields.has('validated') ? fields.boolean('validated') : undefined
  fields.done()
  return tlsPredicate(presented, validated)
}
