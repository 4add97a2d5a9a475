import type { RuntimeDouble, RuntimeFractionalPercent } from '@heddle/xds-types/envoy/config/core/v3'
import type { FractionalPercent } from '@heddle/xds-types/envoy/type/v3'
import type { Runtime } from '../runtime.js'
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

/** The share of a runtime fraction as it is now: of its key where the runtime has it, else its default value. */
export function compileRuntimeShare(
  fields: Fields<RuntimeFractionalPercent> | undefined,
  fallback: number,
  runtime: Runtime | undefined,
): () => number {
  const key = fields?.string('runtime_key') ?? ''
  const share = compileRuntimeFraction(fields, fallback)
  return runtime === undefined || key === '' ? () => share : () => runtime.share(key) ?? share
}

/** The default value of a runtime fraction, where no runtime is at hand that could overrule it. */
export function compileRuntimeFraction(fields: Fields<RuntimeFractionalPercent> | undefined, fallback: number): number {
  if (fields === undefined) return fallback
  const share = compileFraction(fields.message('default_value'), 0)
  fields.done({ runtime_key: 'the default value holds here' })
  return share
}

/** RuntimeDouble. */
export function compileRuntimeDouble(fields: Fields<RuntimeDouble> | undefined, fallback: number): number {
  if (fields === undefined) return fallback
  const value = fields.number('default_value')
  fields.done({ runtime_key: 'no runtime layer overrides it' })
  return value
}
