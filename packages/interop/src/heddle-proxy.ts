import { createIdentitySecrets } from '@heddle/proxy-core'
import { createWatch } from '@heddle/runtime'
import { type DataPlane, dynamicResources, grpcCluster } from './data-plane.js'
import { startReadyProxy } from './ready-proxy.js'

/** Our own proxy under the same orders, as the peer of the others. */
export const heddleProxy: DataPlane = {
  name: '@heddle/proxy-core',
  async start({ control, variant, node, identity }) {
    const { proxy, lines } = await startReadyProxy({
      bootstrap: {
        node,
        dynamic_resources: dynamicResources(variant, 'xds-grpc'),
        static_resources: { clusters: [grpcCluster('xds-grpc', control)] },
      },
      secrets: createIdentitySecrets(createWatch(identity)),
      accessLogSinks: () => ({ write: () => {} }),
    })
    return {
      get log() {
        return lines.slice(-20).join('')
      },
      close: () => proxy.close(),
    }
  },
}
