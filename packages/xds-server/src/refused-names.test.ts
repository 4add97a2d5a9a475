import { expect, test } from 'vitest'
import { refusedNames } from './refused-names.js'

const SENT = ['shop', 'shop-2', 'outbound|80|v1|shop.local', '0.0.0.0_80', 'a']

test.each([
  ['Error adding/updating cluster(s) shop: bad', ['shop']],
  ['Error adding/updating cluster(s) shop-2: bad, a: worse', ['shop-2', 'a']],
  ['Error adding/updating cluster(s) outbound|80|v1|shop.local: no', ['outbound|80|v1|shop.local']],
  ['Error adding/updating listener(s) shop: about shop-2 and a\na: worse\n', ['shop', 'a']],
  ['goo.gle/debugproto \nname: "shop"\nlb {\n  name: "a"\n}\n: is wrong', ['shop']],
  ['validation errors: [[resource index 1: is wrong], [resource index 4: too]]', ['shop-2', 'a']],
  ["listener '0.0.0.0_80' is wrong", ['0.0.0.0_80']],
  ['route shop.', ['shop']],
  ['a filter has no config', ['a']],
  ['something is wrong', SENT],
  ['shop.local', SENT],
])('%s', (message, expected) => expect(refusedNames(message, SENT)).toEqual(expected))
