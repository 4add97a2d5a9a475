import { defined } from '../message.js'
import { WORKLOAD_ROOT } from '../names.js'

// Names of the certificate providers in the bootstrap that an agent writes for gRPC.
const CERTIFICATE = { instance_name: 'default', certificate_name: 'default' }
const ROOTS = { instance_name: 'default', certificate_name: WORKLOAD_ROOT }

/**
 * CommonTlsContext by certificate providers, which is all that gRPC libraries know (gRFC A29): each both in the present field and in the
 * deprecated one, for libraries from before they were renamed.
 */
export function providerContext(subjectAltNames: readonly string[]): object {
  return {
    tls_certificate_provider_instance: CERTIFICATE,
    tls_certificate_certificate_provider_instance: CERTIFICATE,
    combined_validation_context: {
      default_validation_context: defined({
        ca_certificate_provider_instance: ROOTS,
        match_subject_alt_names: subjectAltNames.length === 0 ? undefined : subjectAltNames.map((exact) => ({ exact })),
      }),
      validation_context_certificate_provider_instance: ROOTS,
    },
  }
}
