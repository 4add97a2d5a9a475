import { systemRandom } from '@heddle/runtime'
import { describe, expect, it } from 'vitest'
import { defaultHttpFilters } from '../filters/defaults.js'
import { testDeps, testHash } from '../testing.js'
import { createCompilers } from './compilers.js'
import { createNamedValues } from './named-values.js'

const { secrets } = testDeps()
const compile = createCompilers({
  filters: defaultHttpFilters,
  extensions: createNamedValues(),
  vhds: true,
  sinks: () => ({ write: () => {} }),
  random: systemRandom,
  hash64: testHash,
})
const BUFFER = 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer'
const TOO_SHORT = 'value length must be at least 1 characters'

describe('what breaks a rule of the API is refused by that rule, with its path', () => {
  it.each([
    [
      'cluster',
      compile.cluster({ name: 'a', connect_timeout: '0s' }, secrets),
      'connect_timeout',
      'value must be greater than 0s',
    ],
    [
      'listener',
      compile.listener({ name: 'a', filter_chains: [{ filters: [{ typed_config: { '@type': BUFFER } }] }] }, secrets),
      'filter_chains[0].filters[0].name',
      TOO_SHORT,
    ],
    [
      'routes',
      compile.route({ name: 'r', virtual_hosts: [{ name: 'v' }] }, secrets),
      'virtual_hosts[0].domains',
      'at least 1 item',
    ],
    ['scope', compile.scope({ name: 's', route_configuration_name: 'r' }, secrets), 'key', 'value is required'],
    ['endpoints', compile.endpoints({ endpoints: [{ priority: 129 }] }, undefined), 'cluster_name', TOO_SHORT],
    [
      'filter config',
      compile.extension({ name: 'f', typed_config: { '@type': BUFFER } }, secrets),
      'typed_config.max_request_bytes',
      'value is required',
    ],
    [
      'secret',
      compile.secret({ name: 's', tls_certificate: { certificate_chain: { environment_variable: '' } } }),
      'tls_certificate.certificate_chain.environment_variable',
      TOO_SHORT,
    ],
  ])('%s', (_, { ok, diagnostics }, path, message) => {
    expect(ok).toBe(false)
    expect(diagnostics[0]).toMatchObject({ code: 'xds.rule', path, message: expect.stringContaining(message) })
  })

  it('and what keeps them is compiled', () => {
    expect(compile.endpoints({ cluster_name: 'c', endpoints: [] }, undefined).ok).toBe(true)
    const buffer = { '@type': BUFFER, max_request_bytes: 1 }
    expect(compile.extension({ name: 'f', typed_config: buffer }, secrets).ok).toBe(true)
  })
})
