import { expect, test } from 'vitest'
import { canonicalName } from './resource-name.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'
const name = (rest: string): string => `xdstp://authority/envoy.config.cluster.v3.Cluster/${rest}`

test.each([
  ['outbound|80||shop', 'outbound|80||shop'],
  [name('a/b'), name('a/b')],
  [name('a?z=1&b=2'), name('a?b=2&z=1')],
  [name('a?'), name('a')],
  [name('a#directive'), name('a')],
  [name('%61%2fb?%7a=%41'), name('a%2Fb?z=A')],
  [name('*'), name('*')],
])('%s is %s', (from, to) => expect(canonicalName(from, CDS)).toBe(to))

test.each([
  'xdstp://authority/envoy.config.listener.v3.Listener/a',
  'xdstp://authority/envoy.config.cluster.v3.Cluster',
  'xdstp://authority',
  name('a%zz'),
  name('a?b=1&b=2'),
])('%s does not exist', (from) => expect(canonicalName(from, CDS)).toBeUndefined())
