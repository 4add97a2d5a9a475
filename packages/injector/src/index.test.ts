import { expect, test } from 'vitest'
import * as injector from './index.js'

test('the public surface', () => {
  expect(Object.keys(injector).sort().join(' ')).toMatchInlineSnapshot(
    `"DEFAULT_CAPTURE DEFAULT_VALUES IGNORED_NAMESPACES applyCapture captureConfig cleanCapture createWebhookServer decide inject injectManifest iptablesRules jsonPatch nftablesRules overlayTemplate readInjectConfig renderGateway renderGatewayManifest reviewPod supportsNativeSidecars webhookConfiguration"`,
  )
})
