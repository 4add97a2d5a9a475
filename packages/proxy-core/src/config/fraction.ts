import type { RuntimeDouble, RuntimeFractionalPercent } from '@heddle/xds-types/envoy/config/core/v3'
import type { FractionalPercent } from '@heddle/xds-types/envoy/type/v3'
import type { Fields } from './fields.js'

const DENOMINATORS = { HUNDRED: 100, TEN_THOUSAND: 10_000, MILLION: 1_000_000 } as const

/** FractionalPercent as a share from 0 to 1. */
export function compileFraction(fields: Fields<FractionalPercent> | undefined, fallback: number): number {
  if (fields === undefined) return fallback
  const denominator = fields.choice('denominator', ['HUNDRED', 'TEN_THOUSAND', 'MILLION'], 'HUNDRED')
  const share = fields.number('numerator') / DENOMINATORS[denominator]
  fields.done()
  return Math.min(share, 1)
}

/** The default value of a runtime fraction: there is no runtime that could overrule it. */
export function compileRuntimeFraction(fields: Fields<RuntimeFractionalPercent> | undefined, fallback: number): number {
  if (fields === undefined) return fallback
  const share = compileFraction(fields.message('default_value'), 0)
  fields.done({ runtime_key: 'no runtime layer overrides it' })
  return share
}

/** RuntimeDouble. */
export function compileRuntimeDouble(fields: Fields<RuntimeDouble> | undefined, fallback: number): number {
  if (fields === undefined) return fallback
  const value = fields.number('default_value')
  fields.done({ runtime_key: 'no runtime layer overrides it' })
  return value
}
