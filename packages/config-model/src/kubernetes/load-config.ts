import type { ClientConfig } from './api-server.js'

/** Which cluster, and who asks it. */
export interface LoadConfigOptions {
  /** A kubeconfig file. Undefined: the service account of the pod that this runs in. */
  readonly file?: string
  /** A context of the file; default its current one. */
  readonly context?: string
}

/** Reads a kubeconfig, or what Kubernetes mounts into a pod. Needs the optional peer @kubernetes/client-node; rejects with what to do when it is not there. */
export async function loadClientConfig({ file, context }: LoadConfigOptions = {}): Promise<ClientConfig> {
  const client = await import('@kubernetes/client-node').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      'a Kubernetes cluster is read by @kubernetes/client-node, which is not installed: npm install @kubernetes/client-node',
    )
  })
  const config = new client.KubeConfig()
  if (file === undefined) config.loadFromCluster()
  else config.loadFromFile(file)
  if (context !== undefined) {
    const known = config.getContexts().map(({ name }) => name)
    if (!known.includes(context)) throw new Error(`${file ?? 'the pod'} has no context ${context}; it has ${known.join(', ')}`)
    config.setCurrentContext(context)
  }
  if (config.getCurrentCluster() === null) throw new Error(`${file ?? 'the pod'} names no cluster: set current-context`)
  return config
}
