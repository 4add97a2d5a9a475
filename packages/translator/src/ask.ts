import { selects } from '@heddle/config-model'
import type { ProxyDescriptor } from './proxy.js'

/** Hears what a builder asks of a proxy. */
export type Questioner = <T>(question: string, answer: (proxy: ProxyDescriptor) => T) => T

const heard = new WeakMap<ProxyDescriptor, Questioner>()

/**
 * Asks something of a proxy. Proxies that give the same answers share what was built from them, so a question should ask no more than is needed:
 * whether a selector takes the proxy, not what its labels are. `question` must tell it from every other.
 */
export function ask<T>(proxy: ProxyDescriptor, question: string, answer: (proxy: ProxyDescriptor) => T): T {
  const questioner = heard.get(proxy)
  return questioner === undefined ? answer(proxy) : questioner(question, answer)
}

/** Makes `questioner` hear what is asked of `proxy`. */
export function hear(proxy: ProxyDescriptor, questioner: Questioner): void {
  heard.set(proxy, questioner)
}

/** Whether a selector takes a proxy; an empty one takes every proxy. */
export function selectsProxy(selector: Readonly<Record<string, string>> | undefined, proxy: ProxyDescriptor): boolean {
  const wanted = Object.entries(selector ?? {})
  if (wanted.length === 0) return true
  const question = `selected by ${JSON.stringify(wanted.sort(([a], [b]) => (a < b ? -1 : 1)))}`
  return ask(proxy, question, ({ labels }) => selects(selector, labels))
}

/** Whether a proxy is in a namespace: proxies of all other namespaces stay alike. */
export function isIn(proxy: ProxyDescriptor, namespace: string): boolean {
  return ask(proxy, `in namespace ${namespace}`, (of) => of.namespace === namespace)
}

/** Whether an address is the proxy's first. */
export function standsAt(proxy: ProxyDescriptor, address: string): boolean {
  return ask(proxy, `stands at ${address}`, ({ addresses }) => addresses[0] === address)
}
