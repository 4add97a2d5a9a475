import { type HttpStatus, StatusCode } from '@heddle/xds-types/envoy/type/v3'
import type { Fields } from './fields.js'

/** envoy.type.v3.HttpStatus as its number; 0: none, or none that exists. */
export function compileHttpStatus(fields: Fields<HttpStatus> | undefined): number {
  const code = fields?.raw('code')
  fields?.done()
  if (typeof code === 'string' && Object.hasOwn(StatusCode.values, code)) return StatusCode.values[code as StatusCode]
  return typeof code === 'number' ? code : 0
}
