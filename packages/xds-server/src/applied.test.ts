import { describe, expect, test } from 'vitest'
import { CDS, setOf, type TestServer, type TestStream, testServer } from './fake-client.test-suite.js'

const NOTHING = { applied: [], refused: [], left: [], waiting: [] }
const clusters = (...names: string[]): { [type: string]: object[] } => ({ [CDS]: names.map((name) => ({ name })) })

/** A stream of node `n` that has what is called `v1`. */
function ready(): TestServer & { readonly stream: TestStream } {
  const made = testServer()
  made.give(clusters('a'), 'v1')
  const stream = made.open('delta')
  stream.ask(CDS, [])
  stream.ack(CDS)
  return { ...made, stream }
}

describe('applied(version)', () => {
  test('waits for a version that is still to come', async () => {
    const { server, give, stream } = ready()
    const applied = server.applied('v2')
    give(clusters('b'), 'v2')
    stream.ack(CDS)
    expect(await applied).toEqual({ ...NOTHING, applied: ['n'] })
  })

  test('names who refused it', async () => {
    const { server, give, stream } = ready()
    const applied = server.applied('v2')
    give(clusters('a', 'b'), 'v2')
    stream.nack(CDS, 'cluster b: no')
    expect(await applied).toEqual({
      ...NOTHING,
      refused: [{ nodeId: 'n', typeUrl: CDS, message: 'cluster b: no', resources: ['b'] }],
    })
  })

  test('names who left midway', async () => {
    const { server, give, stream } = ready()
    const applied = server.applied('v2')
    give(clusters('b'), 'v2')
    stream.onEnd()
    expect(await applied).toEqual({ ...NOTHING, left: ['n'] })
  })

  test('does not wait for a type that nobody subscribed to', async () => {
    const { server, give } = ready()
    const applied = server.applied('v2')
    give({ ...clusters('a'), 'type.googleapis.com/envoy.config.listener.v3.Listener': [{ name: 'l' }] }, 'v2')
    expect(await applied).toEqual({ ...NOTHING, applied: ['n'] })
  })

  test('a superseded version is applied with the one that came after it', async () => {
    const { server, give, stream } = ready()
    give(clusters('b'), 'v2')
    // Not answered yet when the next one comes.
    const applied = server.applied('v2')
    give(clusters('c'), 'v3')
    stream.ack(CDS)
    stream.ack(CDS)
    expect(await applied).toEqual({ ...NOTHING, applied: ['n'] })
    expect(await server.applied('v1')).toEqual({ ...NOTHING, applied: ['n'] })
  })

  test('so is one that was never sent, because the next one came at once', async () => {
    const { server, cache, clock, stream } = ready()
    const applied = server.applied('v2')
    cache.set('n', setOf(clusters('b'), 'v2'))
    cache.set('n', setOf(clusters('c'), 'v3'))
    clock.advance(0)
    stream.ack(CDS)
    expect(await applied).toEqual({ ...NOTHING, applied: ['n'] })
  })

  test('with no client at all there is nothing to wait for', async () => {
    const { server, cache } = testServer()
    cache.set('n', setOf(clusters('a'), 'v1'))
    expect(await server.applied('v1')).toEqual(NOTHING)
  })

  test('an aborted wait names the laggards, and what they owe', async () => {
    const { server, give } = ready()
    const abort = new AbortController()
    const applied = server.applied({ version: 'v2', signal: abort.signal })
    give(clusters('b'), 'v2')
    abort.abort()
    expect(await applied).toEqual({ ...NOTHING, waiting: [{ nodeId: 'n', typeUrls: [CDS] }] })
  })
})
