import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, test } from 'vitest'
import { createHeaderMap } from '../../http/header-map.js'
import { decideTracing, type Sampling } from './sampling.js'

const ALL: Sampling = { client: 1, random: 1, overall: 1 }
const NONE: Sampling = { client: 0, random: 0, overall: 1 }
// 0x000003e8 is 1000: a tenth of 10,000.
const id = (version: string): string => `000003e8-1111-${version}111-8111-111111111111`
const decide = (headers: [string, string][], requestId: string | undefined, sampling: Sampling) =>
  decideTracing(createHeaderMap(headers), requestId, sampling, createSeededRandom(1))

test.each<[string, [string, string][], string, Sampling, boolean, string]>([
  ['by chance', [], '4', ALL, true, '9'],
  ['above the share', [], '4', { ...ALL, random: 0.1 }, false, '4'],
  ['below the share', [], '4', { ...ALL, random: 0.11 }, true, '9'],
  ['the client asks', [['x-client-trace-id', 'me']], '4', { ...NONE, client: 1 }, true, 'b'],
  ['the client asks in vain', [['x-client-trace-id', 'me']], '4', NONE, false, '4'],
  ['a service insists', [['x-envoy-force-trace', 'true']], '4', NONE, true, 'a'],
  ['a proxy before us has decided', [], '9', NONE, true, '9'],
  ['it was forced before', [], 'a', NONE, true, 'a'],
  ['all is switched off', [['x-envoy-force-trace', 'true']], '9', { ...ALL, overall: 0 }, false, '4'],
])('%s', (_, headers, version, sampling, traced, kept) => {
  expect(decide(headers, id(version), sampling)).toEqual({ traced, requestId: id(kept) })
})

test.each([undefined, 'mine', '000003e8111141118111111111111111'])('%s is no id to trace by', (requestId) => {
  expect(decide([], requestId, ALL)).toEqual({ traced: false, requestId: undefined })
})
