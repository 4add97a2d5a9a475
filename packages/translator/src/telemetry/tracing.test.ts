import { createStore, defaultMeshConfig } from '@heddle/config-model'
import { expect, test } from 'vitest'
import { toJson } from '../output.js'
import { proxyFromJson } from '../proxy.js'
import { translate } from '../translate.js'

/** `tracing` of the connection manager of virtualInbound, for a node with that ProxyConfig. */
function tracingWith(tracing: object) {
  const proxy = proxyFromJson({ id: 'a', ip: '10.0.0.1', metadata: { PROXY_CONFIG: { tracing } } })
  if (!proxy.ok) throw new Error('proxy')
  const { listeners } = toJson(translate(createStore({ meshConfig: defaultMeshConfig }).snapshot(), proxy.value).resources)
  let found: unknown
  JSON.stringify(listeners, (key, value) => {
    if (key === 'tracing') found ??= value
    return value
  })
  return found as { random_sampling: object; max_path_tag_length: number; custom_tags: { tag: string }[] }
}

test('tags, sampling and the length of paths are those of the ProxyConfig', () => {
  const tracing = tracingWith({
    sampling: 20,
    maxPathTagLength: 30,
    customTags: {
      z: { header: { name: 'x-z' } },
      a: { literal: { value: 'b' } },
      m: { environment: { name: 'M', defaultValue: 'n' } },
    },
    enableIstioTags: false,
  })
  expect(tracing.random_sampling).toEqual({ value: 20 })
  expect(tracing.max_path_tag_length).toBe(30)
  expect(tracing.custom_tags).toEqual([
    { tag: 'a', literal: { value: 'b' } },
    { tag: 'm', environment: { name: 'M', default_value: 'n' } },
    { tag: 'z', request_header: { name: 'x-z' } },
  ])
})

test('the workload stands on every span unless that is switched off', () => {
  const tags = tracingWith({}).custom_tags.map(({ tag }) => tag)
  expect(tags).toContain('istio.canonical_service')
})
