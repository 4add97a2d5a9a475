/** A variable that must be set: each program of the demo is configured by its environment, as a container is. */
export function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

/**
 * The node that Istio's agent would send for this environment: ISTIO_META_X becomes metadata X, ISTIO_METAJSON_X the same as JSON.
 * @param type `sidecar` or `router`
 */
export function nodeOf(
  type: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): { id: string; cluster: string; metadata: Record<string, unknown> } {
  const metadata: Record<string, unknown> = {}
  for (const [key, value = ''] of Object.entries(env)) {
    if (key.startsWith('ISTIO_META_')) metadata[key.slice('ISTIO_META_'.length)] = value
    if (key.startsWith('ISTIO_METAJSON_')) metadata[key.slice('ISTIO_METAJSON_'.length)] = JSON.parse(value)
  }
  const {
    POD_NAME: name = '',
    POD_NAMESPACE: namespace = 'default',
    INSTANCE_IP: ip = '127.0.0.1',
    SERVICE_ACCOUNT: serviceAccount = 'default',
  } = env
  Object.assign(metadata, { NAME: name, NAMESPACE: namespace, SERVICE_ACCOUNT: serviceAccount, INSTANCE_IPS: ip })
  return { id: `${type}~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`, cluster: `${name}.${namespace}`, metadata }
}
