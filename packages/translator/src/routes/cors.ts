import type { CorsPolicy } from '@heddle/config-model'
import { type TypedMessage, typed } from '../message.js'
import { stringMatcher } from './match.js'
import { ALWAYS } from './percent.js'

/** corsPolicy of a rule, for the cors filter. Preflights that match no origin are forwarded unless the rule says IGNORE. */
export function corsConfig(cors: CorsPolicy): TypedMessage {
  const origins =
    cors.allowOrigins !== undefined ? cors.allowOrigins.map(stringMatcher) : cors.allowOrigin?.map((exact) => ({ exact }))
  const joined = (list: readonly string[] | undefined): string | undefined =>
    list === undefined || list.length === 0 ? undefined : list.join(',')
  return typed('envoy.extensions.filters.http.cors.v3.CorsPolicy', {
    allow_origin_string_match: origins,
    allow_methods: joined(cors.allowMethods),
    allow_headers: joined(cors.allowHeaders),
    expose_headers: joined(cors.exposeHeaders),
    max_age: cors.maxAge === undefined ? undefined : String(Math.floor(cors.maxAge / 1000)),
    allow_credentials: cors.allowCredentials,
    filter_enabled: { default_value: ALWAYS },
    forward_not_matching_preflights: cors.unmatchedPreflights !== 'IGNORE',
  })
}
