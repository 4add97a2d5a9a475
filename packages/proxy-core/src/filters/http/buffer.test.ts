import { describe, expect, it } from 'vitest'
import { bodyOf, readWhole } from '../../http/body.js'
import { transformBody } from '../../http/body-transform.js'
import { createHeaderMap } from '../../http/header-map.js'
import { bufferFilter } from './buffer.js'
import { configured, must, run, stream } from './testing.js'

/** As it comes chunked: nobody knows how long it will be. */
const chunked = (text: string, trailers?: [string, string][]) =>
  transformBody(bodyOf(text, trailers && createHeaderMap(trailers)), (sink) => sink)

describe('buffer', () => {
  const create = configured(bufferFilter, { max_request_bytes: 10 })

  it('gives a chunked request its length', async () => {
    const asked = stream({ method: 'POST' })
    asked.request.body = chunked('12345')
    expect(await run(create, asked)).toBeUndefined()
    expect(asked.request.body.length).toBe(5)
    expect(asked.request.headers.get('content-length')).toBe('5')
  })

  it('keeps trailers', async () => {
    const asked = stream({ method: 'POST' })
    asked.request.body = chunked('12345', [['x', '1']])
    await run(create, asked)
    const { bytes, trailers } = await readWhole(asked.request.body, 100)
    expect([Buffer.from(bytes).toString(), trailers?.get('x')]).toEqual(['12345', '1'])
  })

  it('refuses what is larger, and its connection', async () => {
    const asked = stream({ method: 'POST' })
    asked.request.body = chunked('12345678901')
    expect(await run(create, asked)).toMatchObject({ status: 413, details: 'request_payload_too_large', closes: true })
  })

  it('does not wait for requests without a body', () => {
    expect(run(create, stream())).toBeUndefined()
  })

  it('takes the limit of the route', async () => {
    const perRoute = must(bufferFilter.decodePerRoute!({ buffer: { max_request_bytes: 2 } }, ''))
    const asked = stream({ method: 'POST', perRoute })
    asked.request.body = chunked('123')
    expect(await run(create, asked)).toMatchObject({ status: 413 })
  })

  it('wants a limit', () => {
    expect(bufferFilter.decode({}, 'c').diagnostics[0]).toMatchObject({ path: 'c.max_request_bytes' })
    expect(bufferFilter.decodePerRoute!({}, 'c').ok).toBe(false)
  })
})
