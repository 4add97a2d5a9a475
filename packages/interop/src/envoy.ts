import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from './child.js'
import { ADMIN, type DataPlane, dynamicResources, grpcCluster, type RunningDataPlane } from './data-plane.js'
import { eventually } from './eventually.js'
import { serveSecrets } from './serve-secrets.js'
import { labelOf, type Tool } from './tools.js'

/** Envoy, and where its admin page is: `host:port`. */
export interface RunningEnvoy extends RunningDataPlane {
  readonly admin: string
}

/** Starts Envoy on a bootstrap, with one worker; resolves when it is live. */
export async function startEnvoy(tool: Tool, bootstrap: object): Promise<RunningEnvoy> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-envoy-'))
  const [config, address] = [join(folder, 'envoy.json'), join(folder, 'admin')]
  writeFileSync(config, JSON.stringify({ admin: ADMIN, ...bootstrap }))
  const child = startChild(tool.path, [
    ...['-c', config, '--admin-address-path', address, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning'],
    ...['--drain-time-s', '1'],
  ])
  const close = async (): Promise<void> => {
    await child.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await eventually(
      async () => child.ended || (await (await fetch(`http://${readFileSync(address, 'utf8')}/ready`)).text()).trim(),
      (state) => state === 'LIVE' || state === true,
    )
    if (child.ended) throw new Error('Envoy has ended')
  } catch (error) {
    await close()
    throw new Error(`${error}\n${child.output}`)
  }
  return {
    admin: readFileSync(address, 'utf8').trim(),
    get log() {
      return child.output
    },
    close,
  }
}

/** Stock Envoy, with the secrets of its workload served over SDS, as istio-agent does. */
export function envoy(tool: Tool): DataPlane {
  return {
    name: labelOf(tool),
    async start({ control, variant, node, identity }) {
      const secrets = await serveSecrets(identity)
      const bootstrap = {
        node: { ...node, metadata: { ...node.metadata, HEDDLE_STOCK_ENVOY: 'true' } },
        dynamic_resources: dynamicResources(variant, 'xds-grpc'),
        static_resources: { clusters: [grpcCluster('xds-grpc', control), grpcCluster('sds-grpc', secrets.address)] },
      }
      const running = await startEnvoy(tool, bootstrap).catch(async (error: unknown) => {
        await secrets.close()
        throw error
      })
      return {
        get log() {
          return running.log
        },
        async close() {
          await running.close()
          await secrets.close()
        },
      }
    },
  }
}
