import type {
  CertificateValidationContext,
  SubjectAltNameMatcher,
} from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { asciiLower } from '../matcher/ascii.js'
import { compileStringMatcher } from '../matcher/string.js'
import { dnsNameFits } from '../net/peer-rules.js'
import type { PeerSan } from '../net/tls.js'
import type { Fields } from './fields.js'

type SanTest = (san: PeerSan) => boolean

const LISTS = { URI: 'uris', DNS: 'dns', IP_ADDRESS: 'ips', EMAIL: 'emails' } as const

/** None: any name of a verified certificate will do. One that fits one name is enough; each looks only at names of its own type. */
export function compileSanMatchers(fields: Fields<CertificateValidationContext>): readonly SanTest[] {
  return [
    ...fields.messages('match_typed_subject_alt_names').map(compileTyped),
    ...fields.messages('match_subject_alt_names').map(compileUntyped),
  ]
}

/** The deprecated form without a type looks at all of them. */
function compileUntyped(fields: Parameters<typeof compileStringMatcher>[0]): SanTest {
  const { matches } = compileStringMatcher(fields)
  return (san) => [...san.uris, ...san.dns, ...san.ips, ...san.emails].some(matches)
}

function compileTyped(fields: Fields<SubjectAltNameMatcher>): SanTest {
  const type = fields.choice('san_type', ['EMAIL', 'DNS', 'URI', 'IP_ADDRESS', 'OTHER_NAME'], 'URI')
  const oid = fields.string('oid')
  const matcher = fields.message('matcher')
  const exact = matcher?.has('exact') ? asciiLower(matcher.string('exact')) : undefined
  const compiled = matcher === undefined ? undefined : compileStringMatcher(matcher)
  fields.done()
  if (!fields.has('san_type')) fields.problem('is required.', 'san_type')
  if (type === 'OTHER_NAME' && !/^\d+(\.\d+)+$/.test(oid)) fields.problem('is required for OTHER_NAME, as in 1.2.3.', 'oid')
  if (compiled === undefined) {
    fields.problem('is required.', 'matcher')
    return () => false
  }
  if (type === 'DNS' && exact !== undefined) return (san) => san.dns.some((name) => dnsNameFits(asciiLower(name), exact))
  if (type === 'OTHER_NAME') return (san) => san.otherNames.some((name) => name.type === oid && compiled.matches(name.value))
  return (san) => san[LISTS[type]].some(compiled.matches)
}
