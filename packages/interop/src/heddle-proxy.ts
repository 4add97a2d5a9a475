import { createIdentitySecrets, createProxy } from '@heddle/proxy-core'
import { createJsonLogger, createWatch, systemClock } from '@heddle/runtime'
import { type DataPlane, dynamicResources, grpcCluster } from './data-plane.js'
import { eventually } from './eventually.js'

/** Our own proxy under the same orders, as the peer of the others. */
export const heddleProxy: DataPlane = {
  name: '@heddle/proxy-core',
  async start({ control, variant, node, identity }) {
    const lines: string[] = []
    const proxy = createProxy({
      bootstrap: {
        node,
        dynamic_resources: dynamicResources(variant, 'xds-grpc'),
        static_resources: { clusters: [grpcCluster('xds-grpc', control)] },
      },
      secrets: createIdentitySecrets(createWatch(identity)),
      logger: createJsonLogger((line) => lines.push(line), systemClock, 'debug'),
      accessLogSinks: () => ({ write: () => {} }),
    })
    await proxy.start()
    try {
      await eventually(
        () => proxy.ready.current,
        (ready) => ready,
      )
    } catch (error) {
      await proxy.close()
      throw new Error(`${error}\n${lines.slice(-20).join('')}`)
    }
    return {
      get log() {
        return lines.slice(-20).join('')
      },
      close: () => proxy.close(),
    }
  },
}
