import { expect, test } from 'vitest'
import * as injector from './index.js'

test('the public surface', () => {
  expect(Object.keys(injector).sort().join(' ')).toMatchInlineSnapshot(
    `"DEFAULT_VALUES IGNORED_NAMESPACES decide inject injectManifest jsonPatch reviewPod supportsNativeSidecars"`,
  )
})
