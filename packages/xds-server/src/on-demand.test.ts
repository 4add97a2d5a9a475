import { createFakeClock, type FakeClock } from '@heddle/runtime/testing'
import { decodeDeltaResponse } from '@heddle/xds-types/discovery'
import { DeltaDiscoveryRequest } from '@heddle/xds-types/envoy/service/discovery/v3'
import { beforeEach, expect, test } from 'vitest'
import { createOnDemandCache } from './on-demand.js'
import { createXdsServer } from './xds-server.js'

const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'

let clock: FakeClock
let asked: string[]
let answer: (name: string, cluster: object | undefined) => Promise<void>
let open: () => { names: string[][]; ask(...names: string[]): void }

beforeEach(() => {
  clock = createFakeClock()
  asked = []
  const waiting = new Map<string, (cluster: object | undefined) => void>()
  const onDemand = createOnDemandCache({
    typeUrl: CDS,
    clock,
    resolve({ name }) {
      asked.push(name)
      return new Promise((resolve) => waiting.set(name, resolve))
    },
  })
  answer = async (name, cluster) => {
    waiting.get(name)?.(cluster)
    await settle()
  }
  const server = createXdsServer({ resources: () => onDemand.cache.watch, lookup: onDemand.lookup, clock })
  open = () => {
    const names: string[][] = []
    const nonces: string[] = []
    const handler = server.accept({
      variant: 'delta',
      transport: {
        peer: 'test',
        write(parts) {
          const bytes = Buffer.concat(parts)
          const decoded = decodeDeltaResponse(bytes)
          if (!decoded.ok) throw new Error('not a delta response')
          names.push([...decoded.value.resources.map((r) => r.name), ...decoded.value.removed.map((name) => `-${name}`)])
          nonces.push(decoded.value.nonce)
          return true
        },
        close: () => {},
      },
    })
    return {
      names,
      ask: (...subscribe) =>
        handler.onMessage(
          DeltaDiscoveryRequest.encode({
            node: { id: 'n' },
            type_url: CDS,
            resource_names_subscribe: subscribe,
            response_nonce: nonces.at(-1),
          }),
        ),
    }
  }
})

/** Promises first, then the turn in which the server pushes. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve()
  clock.advance(0)
}

test('a request that comes between the find and its push is not told that there is nothing', async () => {
  const stream = open()
  stream.ask('a')
  await settle()
  const found = answer('a', { name: 'a' })
  for (let i = 0; i < 9; i++) {
    await Promise.resolve()
    stream.ask(`later-${i}`)
  }
  await found
  expect(stream.names.flat()).toEqual(['a'])
})

test('a name is looked for once, however many wait, and comes when it is found', async () => {
  const [one, other] = [open(), open()]
  one.ask('a')
  other.ask('a')
  await settle()
  expect([asked, one.names, other.names]).toEqual([['a'], [], []])
  await answer('a', { name: 'a' })
  expect([one.names, other.names]).toEqual([[['a']], [['a']]])
})

test('what is not there is told, and not looked for again before its time', async () => {
  const stream = open()
  stream.ask('a')
  await answer('a', undefined)
  expect(stream.names).toEqual([['-a']])
  stream.ask('a')
  await settle()
  expect([asked, stream.names]).toEqual([['a'], [['-a'], ['-a']]])
  clock.advance(10_000)
  stream.ask('a')
  await answer('a', { name: 'a' })
  expect([asked, stream.names.at(-1)]).toEqual([['a', 'a'], ['a']])
})

test('a search that does not end ends', async () => {
  const stream = open()
  stream.ask('a')
  clock.advance(5_000)
  await settle()
  expect(stream.names).toEqual([['-a']])
})

test('one that is found does not wait for another', async () => {
  const stream = open()
  stream.ask('a', 'b')
  await answer('b', { name: 'b' })
  expect(stream.names).toEqual([['b']])
  stream.ask()
  await answer('a', { name: 'a' })
  expect(stream.names).toEqual([['b'], ['a']])
})
