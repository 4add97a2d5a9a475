import { hear } from '../ask.js'
import type { ProxyDescriptor } from '../proxy.js'

/** Hears what is asked of a proxy and answers. `passing`: see {@link Hear}. */
export type Ask = <T>(question: string, answer: (proxy: ProxyDescriptor) => T, passing?: boolean) => T

// A record, so that none is left out.
const EVERY: Record<keyof ProxyDescriptor, true> = {
  id: true,
  type: true,
  namespace: true,
  dnsDomain: true,
  addresses: true,
  labels: true,
  serviceAccount: true,
  cluster: true,
  serviceCluster: true,
  network: true,
  locality: true,
  version: true,
  interceptionMode: true,
  httpProxyPort: true,
  unprivileged: true,
  stockEnvoy: true,
  metadata: true,
  resources: true,
}
const FIELDS = Object.keys(EVERY) as (keyof ProxyDescriptor)[]

/** A proxy that lets `questioner` hear of everything that is read of it. */
export function trackedProxy(proxy: ProxyDescriptor, questioner: Ask): ProxyDescriptor {
  const tracked = {} as Record<string, unknown>
  for (const field of FIELDS) {
    const read =
      field === 'labels' || field === 'metadata'
        ? constant(trackedRecord(proxy, field, questioner))
        : () => questioner(field, (p) => p[field])
    Object.defineProperty(tracked, field, { enumerable: true, get: read })
  }
  hear(tracked as unknown as ProxyDescriptor, (question, answer) => questioner(question, answer, true))
  return tracked as unknown as ProxyDescriptor
}

function constant<T>(value: T): () => T {
  return () => value
}

/** Labels or metadata: who reads one key depends on that key. */
function trackedRecord(proxy: ProxyDescriptor, field: 'labels' | 'metadata', questioner: Ask): object {
  const whole = (): object => questioner(field, (p) => p[field])
  return new Proxy(proxy[field], {
    get: (_target, key) => (typeof key === 'string' ? questioner(`${field}.${key}`, (p) => p[field][key]) : undefined),
    has: (_target, key) => questioner(`${field}?${String(key)}`, (p) => key in p[field]),
    ownKeys: () => Reflect.ownKeys(whole()),
    getOwnPropertyDescriptor: (_target, key) => Reflect.getOwnPropertyDescriptor(whole(), key),
  })
}
