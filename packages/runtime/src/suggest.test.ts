import { expect, it } from 'vitest'
import { suggest } from './suggest.js'

it.each([
  ['hots', 'hosts'],
  ['Gateways', 'gateways'],
  ['htpp', 'http'],
  ['exportto', 'exportTo'],
  ['tpc', 'tcp'],
  ['something', undefined],
])('%s means %s', (word, meant) => {
  expect(suggest(word, ['hosts', 'gateways', 'http', 'tls', 'tcp', 'exportTo'])).toBe(meant)
})
