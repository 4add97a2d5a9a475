import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bodyOf } from '../src/http/body.js'
import { spiffe } from './certificates.js'
import { type Answer, ask, type Cell, type Identities, issueAll, ownBody, sha, startCell } from './matrix-cell.js'

/** The same scenarios through {HTTP/1.1, HTTP/2} x {plain, TLS, mTLS} x {sockets, in memory}, the same on both sides of the proxy. */

let identities: Identities
beforeAll(() => {
  identities = issueAll()
})

const CASES = (['HTTP1', 'HTTP2'] as const).flatMap((protocol) =>
  (['plain', 'TLS', 'mTLS'] as const).flatMap((security) =>
    (['sockets', 'memory'] as const).map((place) => ({ protocol, security, place })),
  ),
)

describe.each(CASES)('$protocol, $security, $place', (kind) => {
  const { protocol, security } = kind
  let cell: Cell
  beforeAll(async () => {
    cell = await startCell(kind, identities)
  })
  afterAll(() => cell.close())

  const flagsOf = (path: string): string[] | undefined => {
    const entry = cell.proxy.log.findLast(({ info }) => info.path === path)
    return entry && [...entry.info.flags]
  }

  test('a body goes both ways byte for byte, its trailers behind it', async () => {
    const body = randomBytes(1_000_003)
    const answer = await ask(await cell.open(), { body: bodyOf(body), headers: [['x-sent', String(body.length)]] })
    expect(answer.status).toBe(200)
    expect(answer.trailer).toBe('1000003 of 1000003')
    expect(sha(answer.body)).toBe(sha(body))
    expect(answer.headers.get('x-client')).toBe(security === 'mTLS' ? spiffe('client') : 'nobody')
  })

  test('a slow reader gets every byte', async () => {
    const body = randomBytes(500_009)
    const answer = await ask(await cell.open(), { body: bodyOf(body), slowly: true })
    expect(sha(answer.body)).toBe(sha(body))
  })

  test('many requests on one connection', async () => {
    const session = await cell.open()
    const before = cell.proxy.log.length
    const bodies = Array.from({ length: 40 }, (_, i) => randomBytes(i * 100))
    const answers: Answer[] = []
    if (protocol === 'HTTP2') answers.push(...(await Promise.all(bodies.map((body) => ask(session, { body: bodyOf(body) })))))
    else for (const body of bodies) answers.push(await ask(session, { body: bodyOf(body) }))
    for (const [i, answer] of answers.entries()) expect(answer.body.equals(bodies[i]!)).toBe(true)
    await expect.poll(() => cell.proxy.log.length - before).toBe(40)
  })

  test('a conversation: each part is answered before the next is sent', async () => {
    const body = ownBody()
    const words = ['one', 'two', 'three']
    let heard = ''
    const answering = ask(await cell.open(), {
      body,
      heard(bytes) {
        heard += bytes.toString()
        const next = words[words.indexOf(heard.split(' ').at(-1) ?? '') + 1]
        if (next === undefined) body.end()
        else body.push(` ${next}`)
      },
      sent: () => body.push('one'),
    })
    expect((await answering).body.toString()).toBe('one two three')
  })

  test('100-continue: the body goes out once it is asked for', async () => {
    const body = ownBody()
    const interim: number[] = []
    const answer = await ask(await cell.open(), {
      body,
      headers: [['expect', '100-continue']],
      interim(status) {
        interim.push(status)
        body.push('asked for')
        body.end()
      },
    })
    expect([answer.status, answer.body.toString(), interim]).toEqual([200, 'asked for', [100]])
  })

  test('what fails is tried again, body and all', async () => {
    const answer = await ask(await cell.open(), { path: '/flaky', body: bodyOf('again') })
    expect([answer.status, answer.headers.get('x-attempts'), answer.body.toString()]).toEqual([200, '3', 'again'])
  })

  test('who does not answer in time is answered for: 504 UT', async () => {
    expect((await ask(await cell.open(), { path: '/silent' })).status).toBe(504)
    await expect.poll(() => flagsOf('/silent')).toEqual(['UT'])
  })

  test('where no route leads: 404 NR, and the connection goes on', async () => {
    const session = await cell.open()
    expect((await ask(session, { path: '/none' })).status).toBe(404)
    await expect.poll(() => flagsOf('/none')).toEqual(['NR'])
    expect((await ask(session, { body: bodyOf('after') })).body.toString()).toBe('after')
  })

  test('an app that breaks off is heard of as a break, not as an end', async () => {
    await expect(ask(await cell.open(), { path: '/half' })).rejects.toThrow()
    await expect.poll(() => flagsOf('/half')).toEqual([protocol === 'HTTP1' ? 'UPE' : 'UR'])
  })

  test('a client that gives up takes its request with it', async () => {
    const { requests, resets } = cell.seen
    const session = await cell.open()
    let cancel = (): void => {}
    void ask(session, { path: '/held', sent: (exchange) => (cancel = () => exchange.cancel()) }).catch(() => {})
    await expect.poll(() => cell.seen.requests).toBe(requests + 1)
    cancel()
    await expect.poll(() => cell.seen.resets).toBe(resets + 1)
    await expect.poll(() => cell.proxy.clusters.get('u')?.resources.requests).toBe(0)
  })

  test('draining answers what is under way, and then the connection closes', async () => {
    const own = await startCell(kind, identities)
    let closed = false
    const session = await own.open(() => (closed = true))
    const answering = ask(session, { path: '/held' })
    await expect.poll(() => own.seen.requests).toBe(1)
    own.proxy.manager.drain(true)
    own.seen.release()
    expect((await answering).body.toString()).toBe('held')
    await expect.poll(() => closed).toBe(true)
    await own.close()
  })
})
