import type { FractionalPercent } from '@heddle/xds-types/envoy/type/v3'

/** 100 percent in whole numbers; HUNDRED, the denominator's zero, stays out. */
export const ALWAYS: FractionalPercent = { numerator: 100 }

/** Whole percents, as the deprecated fields have them. */
export function wholePercent(percent: number): FractionalPercent {
  return percent === 0 ? {} : { numerator: percent }
}

/** 0..100 with four decimals, as Envoy's parts per million. */
export function perMillion(percent: number): FractionalPercent {
  const numerator = Math.trunc(percent * 10_000)
  return { ...(numerator === 0 ? {} : { numerator }), denominator: 'MILLION' }
}
