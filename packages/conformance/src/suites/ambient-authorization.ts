import { ambientPolicies } from '@heddle/translator'
import { Authorization } from '@heddle/xds-types/istio/security'
import { load } from 'js-yaml'
import { firstDifference } from '../compare.js'
import { each, type Suite, type Verdict } from '../suite.js'
import { meshOf } from './mesh.js'

interface Case {
  readonly id: string
  readonly input: string
  /** istio.security.Authorization as YAML, names in lowerCamelCase; empty: nothing is made of the policy. */
  readonly want: string
}

/** AuthorizationPolicy and PeerAuthentication -> what the L4 proxy of ambient mode gets. */
export const ambientAuthorization: Suite = {
  name: 'ambient-authorization',
  file: 'ambient-authorization.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

// Stands beside the conversions of single policies wherever there is a PeerAuthentication.
const STRICT_FOR_ALL = 'istio_converted_static_strict'

function judge({ input, want }: Case): Verdict {
  const made = ambientPolicies(meshOf([input])).authorizations.filter(({ name }) => name !== STRICT_FOR_ALL)
  if (want.trim() === '') return made.length === 0 ? undefined : `want nothing, got ${made.map(({ name }) => name).join(', ')}`
  return firstDifference([canonical(load(want))], made.map(canonical))
}

/** Objects without a namespace are in `default`; where the cases come from they are in none. */
function canonical(value: unknown): unknown {
  const read = Authorization.fromJson(value)
  if (!read.ok) throw new Error(read.diagnostics.map(({ path, message }) => `${path} ${message}`).join('; '))
  const { namespace = 'default', ...rest } = read.value
  return Authorization.toJson({ ...rest, namespace })
}
