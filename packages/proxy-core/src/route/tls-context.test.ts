import { createSeededRandom } from '@heddle/runtime/testing'
import type { RouteMatch_TlsContextMatchOptions } from '@heddle/xds-types/envoy/config/route/v3'
import { describe, expect, it } from 'vitest'
import { compileMessage } from '../config/fields.js'
import { compileRouteMatch } from '../config/route-match.js'
import { head } from '../testing.js'
import { matchesAll } from './match.js'
import type { RequestHead } from './table.js'

const certificates = [undefined, 'untrusted', 'validated'] as const

describe('tls_context of a route', () => {
  it.each<[RouteMatch_TlsContextMatchOptions, readonly RequestHead['clientCertificate'][]]>([
    [{}, [undefined, 'untrusted', 'validated']],
    [{ presented: true }, ['untrusted', 'validated']],
    [{ presented: false }, [undefined]],
    [{ presented: true, validated: true }, ['validated']],
    [{ presented: true, validated: false }, ['untrusted']],
    [{ validated: false }, [undefined, 'untrusted']],
  ])('%j takes clients whose certificate is %j', (tls_context, taken) => {
    const compiled = compileMessage({ prefix: '/', tls_context }, '', (fields) => compileRouteMatch(fields))
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
    const random = createSeededRandom(1)
    const of = (certificate: RequestHead['clientCertificate']): RequestHead =>
      head('/', {}, certificate === undefined ? {} : { clientCertificate: certificate })
    expect(certificates.filter((each) => matchesAll(compiled.value.predicates, of(each), random))).toEqual(taken)
  })
})
