import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from './child.js'
import { ADMIN, type DataPlane, dynamicResources, grpcCluster } from './data-plane.js'
import { eventually } from './eventually.js'
import { serveSecrets } from './serve-secrets.js'
import { labelOf, type Tool } from './tools.js'

/** Stock Envoy, with the secrets of its workload served over SDS, as istio-agent does. */
export function envoy(tool: Tool): DataPlane {
  return {
    name: labelOf(tool),
    async start({ control, variant, node, identity }) {
      const folder = mkdtempSync(join(tmpdir(), 'heddle-envoy-'))
      const secrets = await serveSecrets(identity)
      const bootstrap = {
        node: { ...node, metadata: { ...node.metadata, HEDDLE_STOCK_ENVOY: 'true' } },
        admin: ADMIN,
        dynamic_resources: dynamicResources(variant, 'xds-grpc'),
        static_resources: { clusters: [grpcCluster('xds-grpc', control), grpcCluster('sds-grpc', secrets.address)] },
      }
      const [config, admin] = [join(folder, 'envoy.json'), join(folder, 'admin')]
      writeFileSync(config, JSON.stringify(bootstrap))
      const child = startChild(tool.path, [
        ...['-c', config, '--admin-address-path', admin, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning'],
        ...['--drain-time-s', '1'],
      ])
      const close = async (): Promise<void> => {
        await child.stop()
        await secrets.close()
        rmSync(folder, { recursive: true, force: true })
      }
      try {
        await eventually(
          async () => child.ended || (await (await fetch(`http://${readFileSync(admin, 'utf8')}/ready`)).text()).trim(),
          (state) => state === 'LIVE' || state === true,
        )
        if (child.ended) throw new Error('Envoy has ended')
      } catch (error) {
        await close()
        throw new Error(`${error}\n${child.output}`)
      }
      return {
        get log() {
          return child.output
        },
        close,
      }
    },
  }
}
