import { hostname } from 'node:os'
import { type ClientConfig, loadClientConfig } from '@heddle/config-model/kubernetes'
import { clusterConfig, type ServeControlPlaneOptions } from '@heddle/mesh'
import { type Arguments, type Flag, InputError, type Io, required, UsageError } from './command.js'

/** Instead of `--config`. */
export const clusterFlags: Readonly<Record<string, Flag>> = {
  kubeconfig: { type: 'string', value: 'FILE', help: 'a Kubernetes cluster instead of a folder (needs @kubernetes/client-node)' },
  context: { type: 'string', value: 'NAME', help: 'of the kubeconfig (default its current context)' },
  'in-cluster': { type: 'boolean', help: 'the cluster that this pod runs in, as its service account' },
  'write-status': {
    type: 'boolean',
    help: 'write statuses of Gateway API and Ingress objects into the cluster, from one replica at a time',
  },
}

const ROOT_NAMESPACE = 'istio-system'

/** Where the configuration is, as the flags say, and what to call it. */
export async function openFlags(
  args: Arguments,
  io: Io,
): Promise<Pick<ServeControlPlaneOptions, 'config'> & { readonly name: string }> {
  const [file, context] = [args.string('kubeconfig'), args.string('context')]
  const given = [args.string('config') !== undefined, file !== undefined, args.boolean('in-cluster')].filter(Boolean).length
  if (given > 1) throw new UsageError('--config, --kubeconfig and --in-cluster exclude each other')
  if (context !== undefined && file === undefined) throw new UsageError('--context chooses from a --kubeconfig')
  if (file === undefined && !args.boolean('in-cluster')) {
    if (args.boolean('write-status')) throw new UsageError('--write-status wants a cluster: --kubeconfig or --in-cluster')
    const config = required(args, 'config')
    return { config, name: config }
  }
  if (file === undefined && io.env['KUBERNETES_SERVICE_HOST'] === undefined)
    throw new InputError(
      '--in-cluster: this is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set); --kubeconfig FILE reads one from outside',
    )
  const client = await loadClientConfig({
    ...(file === undefined ? {} : { file }),
    ...(context === undefined ? {} : { context }),
  }).catch((error: unknown) => {
    throw new InputError(error instanceof Error ? error.message : String(error))
  })
  const writeStatus = {
    identity: io.env['POD_NAME'] ?? `${hostname()}-${process.pid}`,
    namespace: io.env['POD_NAMESPACE'] ?? ROOT_NAMESPACE,
  }
  const config = clusterConfig({ config: client, ...(args.boolean('write-status') ? { writeStatus } : {}) })
  return { config, name: serverOf(client) }
}

function serverOf(client: ClientConfig): string {
  return client.getCurrentCluster()?.server ?? 'a cluster'
}
