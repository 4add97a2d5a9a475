import type { RuntimeFeatureFlag } from '@heddle/xds-types/envoy/config/core/v3'
import type { Fields } from './fields.js'

/** The default value of a runtime feature flag; absent: on. */
export function compileRuntimeFlag(fields: Fields<RuntimeFeatureFlag> | undefined): boolean {
  if (fields === undefined) return true
  const on = fields.boolean('default_value', false)
  fields.done({ runtime_key: 'the default value holds here' })
  return on
}
