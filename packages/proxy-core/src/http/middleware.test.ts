import { createMemoryLogger } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import { deps, must, response, stream } from '../filters/http/testing.js'
import { bodyOf, readBody } from './body.js'
import { failOpen } from './fail-open.js'
import { createHeaderMap } from './header-map.js'
import { type MiddlewareOptions, middleware } from './middleware.js'

const NAME = 'example.Filter'

function made(run: MiddlewareOptions<Readonly<Record<string, unknown>>>['run'], config: object = {}) {
  const factory = middleware({ typeName: NAME, run })
  const asked = stream({ path: '/x' })
  const decoded = must(factory.decode(config as never, 'c'))
  return { asked, filter: factory.create(decoded, deps(), 'own')(asked), opens: factory.failOpen?.(decoded) }
}

describe('middleware', () => {
  it('changes the request before next(), the response after it', async () => {
    const { asked, filter } = made(
      async (request, next, { config }) => {
        request.headers.set('x-seen', String(config['word']))
        const answer = await next()
        answer.headers.set('x-own', 'yes')
        return { ...answer, status: 418, body: bodyOf('other') }
      },
      { word: 'hi', failure_mode_allow: true },
    )
    expect(await filter.onRequest!(asked.request, asked)).toBeUndefined()
    expect(asked.request.headers.get('x-seen')).toBe('hi')
    const answer = response()
    await filter.onResponse!(answer, asked)
    expect([answer.status, answer.headers.get('x-own')]).toEqual([418, 'yes'])
    expect(Buffer.from(await readBody(answer.body, 100)).toString()).toBe('other')
  })

  it('without next() the request ends with its reply', async () => {
    const reply = { status: 403, body: 'no', details: 'not_today' }
    const { asked, filter } = made(() => Promise.resolve(reply))
    expect(await filter.onRequest!(asked.request, asked)).toEqual(reply)
    expect(filter.onResponse!(response(), asked)).toBeUndefined()
  })

  it('throwing fails the hook that it is in', async () => {
    const early = made(() => Promise.reject(new Error('early')))
    await expect(early.filter.onRequest!(early.asked.request, early.asked)).rejects.toThrow('early')
    const late = made(async (_request, next) => {
      await next()
      throw new Error('late')
    })
    await late.filter.onRequest!(late.asked.request, late.asked)
    await expect(late.filter.onResponse!(response(), late.asked)).rejects.toThrow('late')
  })

  it('a request that ends without an answer ends the function', async () => {
    const { asked, filter } = made(async (_request, next) => next())
    await filter.onRequest!(asked.request, asked)
    filter.onComplete!(asked.info)
    await expect(new Promise((resolve) => setImmediate(resolve))).resolves.toBeUndefined()
  })

  it('next() once; a response only from next()', async () => {
    const twice = made(async (_request, next) => {
      void next()
      return next()
    })
    await twice.filter.onRequest!(twice.asked.request, twice.asked)
    await expect(twice.filter.onResponse!(response(), twice.asked)).rejects.toThrow('before')
    const none = made(() => Promise.resolve({ status: 200, headers: createHeaderMap(), body: bodyOf('x') }))
    await expect(none.filter.onRequest!(none.asked.request, none.asked)).rejects.toThrow('reply with details')
  })

  it('failure_mode_allow says whether it fails open', () => {
    expect(made((_request, next) => next(), { failure_mode_allow: true }).opens).toBe(true)
    expect(made((_request, next) => next()).opens).toBe(false)
  })
})

it('what fails open passes over what hooks throw, now or later', async () => {
  const logger = createMemoryLogger()
  const boom = (): never => {
    throw new Error('boom')
  }
  const asked = stream()
  const now = failOpen({ onRequest: boom, onResponse: boom }, logger)
  expect(now.onRequest!(asked.request, asked)).toBeUndefined()
  expect(now.onResponse!(response(), asked)).toBeUndefined()
  const later = failOpen({ onRequest: () => Promise.reject(new Error('boom')) }, logger)
  expect(await later.onRequest!(asked.request, asked)).toBeUndefined()
  expect(logger.entries.length).toBe(3)
})
