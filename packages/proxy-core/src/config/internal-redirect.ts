import type { InternalRedirectPolicy as InternalRedirectProto } from '@heddle/xds-types/envoy/config/route/v3'
import type { AllowListedRoutesConfig } from '@heddle/xds-types/envoy/extensions/internal_redirect/allow_listed_routes/v3'
import { asciiLower } from '../matcher/ascii.js'
import type { InternalRedirectPolicy } from '../route/internal-redirect.js'
import { type Fields, fieldsOf } from './fields.js'

const PREFIX = 'envoy.extensions.internal_redirect'
const PREVIOUS_ROUTES = `${PREFIX}.previous_routes.v3.PreviousRoutesConfig`
const ALLOW_LISTED = `${PREFIX}.allow_listed_routes.v3.AllowListedRoutesConfig`
const SAFE_CROSS_SCHEME = `${PREFIX}.safe_cross_scheme.v3.SafeCrossSchemeConfig`
/** Any other code is passed over, as in Envoy. */
const FOLLOWED = new Set([301, 302, 303, 307, 308])

/** RouteAction.internal_redirect_policy. */
export function compileInternalRedirect(fields: Fields<InternalRedirectProto> | undefined): InternalRedirectPolicy | undefined {
  if (fields === undefined) return undefined
  const codes = fields.numbers('redirect_response_codes').filter((code) => FOLLOWED.has(code))
  let [notTwice, safeCrossScheme] = [false, false]
  let allowedRoutes: ReadonlySet<string> | undefined
  for (const predicate of fields.messages('predicates')) {
    const config = predicate.any('typed_config')
    predicate.done({ name: 'the type decides' })
    if (config?.typeName === PREVIOUS_ROUTES) notTwice = true
    else if (config?.typeName === SAFE_CROSS_SCHEME) safeCrossScheme = true
    else if (config?.typeName === ALLOW_LISTED) {
      const inner = fieldsOf<AllowListedRoutesConfig>(config, fields as Fields<never>)
      allowedRoutes = new Set(inner.strings('allowed_route_names'))
      inner.done()
    } else predicate.problem(`${config?.typeName ?? 'nothing'} is not supported.`, 'typed_config')
  }
  const policy: InternalRedirectPolicy = {
    max: fields.number('max_internal_redirects', 1),
    statuses: new Set(codes.length === 0 ? [302] : codes),
    allowCrossScheme: fields.boolean('allow_cross_scheme_redirect'),
    safeCrossScheme,
    notTwice,
    ...(allowedRoutes && { allowedRoutes }),
    copyHeaders: fields.strings('response_headers_to_copy').map(asciiLower),
  }
  fields.done()
  return policy
}
