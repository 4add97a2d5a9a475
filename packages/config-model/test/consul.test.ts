import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createStore } from '@heddle/config-model'
import { createConsulRegistry, followRegistry } from '@heddle/config-model/registries'
import { systemClock } from '@heddle/runtime'
import { expect, it } from 'vitest'
import { type RegistryHarness, testRegistry } from '../src/registries/registry.test-suite.js'

/** A Consul agent as far as blocking queries go: an index that grows, and answers that wait for a newer one. */
async function createConsul() {
  const services = new Map<string, object[]>()
  const waiting = new Set<() => void>()
  const tokens: unknown[] = []
  let index = 1
  let broken = false
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '', 'http://consul')
    tokens.push(request.headers['x-consul-token'])
    if (broken) {
      response.writeHead(500).end()
      return
    }
    const reply = (): void => {
      const service = /^\/v1\/health\/service\/(.*)$/.exec(url.pathname)?.[1]
      const names = Object.fromEntries([...services.keys(), 'consul'].map((name) => [name, []]))
      response.writeHead(200, { 'x-consul-index': String(index), 'content-type': 'application/json' })
      response.end(JSON.stringify(service === undefined ? names : (services.get(decodeURIComponent(service)) ?? [])))
    }
    if (Number(url.searchParams.get('index')) < index) reply()
    else waiting.add(reply)
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const changed = (): void => {
    index++
    const replies = [...waiting]
    waiting.clear()
    for (const reply of replies) reply()
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens,
    services,
    changed,
    setBroken(value: boolean) {
      broken = value
      if (!value) return
      waiting.clear()
      server.closeAllConnections()
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const instance = (address: string, more: object = {}): object => ({
  Node: { Address: '192.0.2.1', Datacenter: 'dc1', Meta: { zone: 'a' } },
  Service: {
    Address: address,
    Port: 8080,
    Meta: { protocol: 'http', version: 'v1', 'not a label': 'x' },
    Weights: { Passing: 3 },
    ...more,
  },
})

async function createHarness(): Promise<RegistryHarness> {
  const consul = await createConsul()
  return {
    // Chance 0: no pause after a failure.
    registry: createConsulRegistry({ url: consul.url, clock: systemClock, random: { next: () => 0.02 } }),
    hostOf: (service) => `${service}.service.consul`,
    set(service, addresses) {
      consul.services.set(
        service,
        addresses.map((address) => instance(address)),
      )
      consul.changed()
    },
    remove(service) {
      consul.services.delete(service)
      consul.changed()
    },
    break: () => consul.setBroken(true),
    mend: () => consul.setBroken(false),
    close: consul.close,
  }
}

testRegistry('Consul', createHarness)

it("takes over locality, labels, weight, protocol and the node's address, and shows its token", async () => {
  const consul = await createConsul()
  consul.services.set('tea', [instance(''), instance('10.0.0.2', { Port: 9090 })])
  const store = createStore()
  const registry = createConsulRegistry({ url: consul.url, clock: systemClock, token: 'secret', namespace: 'mesh' })
  const followed = followRegistry(registry, { store })
  await followed.ready
  const [service] = store.snapshot().servicesOf('tea.service.consul')
  expect(service).toMatchObject({
    namespace: 'mesh',
    meshExternal: false,
    ports: [{ name: 'http', number: 8080, protocol: 'HTTP' }],
  })
  expect(store.snapshot().endpoints(service!, 'http')).toMatchObject([
    { address: '192.0.2.1', port: 8080, locality: 'dc1/a', weight: 3, labels: { version: 'v1' } },
    { address: '10.0.0.2', port: 9090 },
  ])
  expect(new Set(consul.tokens)).toEqual(new Set(['secret']))
  followed.close()
  await consul.close()
})

it('keeps the last good version of a service that no mesh would take, and says why', async () => {
  const consul = await createConsul()
  consul.services.set('tea', [instance('10.0.0.1')])
  const store = createStore()
  const followed = followRegistry(createConsulRegistry({ url: consul.url, clock: systemClock }), { store })
  await followed.ready
  const told = new Promise<void>((resolve) => followed.diagnostics.subscribe(() => resolve()))
  consul.services.set('tea', [instance('10.0.0.1', { Port: 70_000 })])
  consul.changed()
  await told
  expect(followed.diagnostics.current[0]).toMatchObject({
    code: 'config.port',
    severity: 'error',
    subject: 'ServiceEntry consul/consul-tea',
  })
  expect(store.snapshot().servicesOf('tea.service.consul')).toHaveLength(1)
  followed.close()
  await consul.close()
})
