import type { TypedExtensionConfig } from '@heddle/xds-types/envoy/config/core/v3'
import type { CustomHeaderConfig } from '@heddle/xds-types/envoy/extensions/http/original_ip_detection/custom_header/v3'
import type { XffConfig } from '@heddle/xds-types/envoy/extensions/http/original_ip_detection/xff/v3'
import { createHeaderDetection, createXffDetection, type IpDetection } from '../http/ip-detection.js'
import { asciiLower } from '../matcher/ascii.js'
import { compileCidr, createCidrSet } from '../matcher/cidr.js'
import { type Fields, fieldsOf } from './fields.js'
import { compileHttpStatus } from './http-status.js'

const DETECTION = 'envoy.extensions.http.original_ip_detection'

/** original_ip_detection_extensions: xff and custom_header. */
export function compileIpDetection(list: readonly Fields<TypedExtensionConfig>[]): readonly IpDetection[] {
  return list.flatMap((fields) => {
    const config = fields.any('typed_config')
    fields.done({ name: 'the type tells what it is' })
    switch (config?.typeName) {
      case `${DETECTION}.xff.v3.XffConfig`:
        return compileXff(fieldsOf<XffConfig>(config, fields as Fields<never>))
      case `${DETECTION}.custom_header.v3.CustomHeaderConfig`:
        return compileCustomHeader(fieldsOf<CustomHeaderConfig>(config, fields as Fields<never>))
      default:
        fields.problem(`${config?.typeName ?? 'nothing'} is not supported: use xff or custom_header.`, 'typed_config')
        return []
    }
  })
}

function compileXff(fields: Fields<XffConfig>): IpDetection {
  const trusted = fields.message('xff_trusted_cidrs')
  const cidrs = trusted?.messages('cidrs').flatMap((each) => compileCidr(each) ?? [])
  trusted?.done()
  const trustedHops = fields.number('xff_num_trusted_hops')
  if (cidrs !== undefined && trustedHops > 0) fields.problem('excludes xff_trusted_cidrs.', 'xff_num_trusted_hops')
  const append = !fields.boolean('skip_xff_append', true)
  fields.done()
  return createXffDetection({ trustedHops, append, ...(cidrs && { isTrusted: createCidrSet(cidrs) }) })
}

function compileCustomHeader(fields: Fields<CustomHeaderConfig>): IpDetection {
  const name = asciiLower(fields.string('header_name'))
  if (name === '') fields.problem('is required.', 'header_name')
  const trusted = fields.boolean('allow_extension_to_set_address_as_trusted')
  const reject = fields.message('reject_with_status')
  const status = reject && compileHttpStatus(reject)
  fields.done()
  // Envoy: a status below 400 is 403.
  return createHeaderDetection(name, trusted, status === undefined ? undefined : status < 400 ? 403 : status)
}
