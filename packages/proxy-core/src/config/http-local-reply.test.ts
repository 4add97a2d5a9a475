import { describe, expect, it } from 'vitest'
import { readBody } from '../http/body.js'
import { createHeaderMap } from '../http/header-map.js'
import { responseOf } from '../http/local-reply.js'
import type { LocalReply } from '../http/message.js'
import type { StreamInfo } from '../http/stream-info.js'
import { testDeps } from '../testing.js'
import { compileMessage } from './fields.js'
import { compileLocalReply } from './http-local-reply.js'

const CONFIG = {
  mappers: [
    {
      filter: { status_code_filter: { comparison: { op: 'EQ', value: { default_value: 404 } } } },
      status_code: 410,
      body: { inline_string: 'gone' },
      headers_to_add: [{ header: { key: 'x-flags', value: '%RESPONSE_FLAGS%' } }],
    },
    {
      filter: { header_filter: { header: { name: 'accept', string_match: { exact: 'json' } } } },
      body_format_override: { json_format: { code: '%RESPONSE_CODE%', text: '%LOCAL_REPLY_BODY%' } },
    },
  ],
  body_format: { text_format_source: { inline_string: '%LOCAL_REPLY_BODY%:%RESPONSE_CODE%' }, content_type: 'text/html' },
}

async function rewritten(
  reply: LocalReply,
  { accept = '', grpc = false, config = CONFIG }: { accept?: string; grpc?: boolean; config?: object } = {},
) {
  const compiled = compileMessage(config, 'c', (fields) => compileLocalReply(fields as never, testDeps()))
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  const response = responseOf(reply, grpc)
  const info = { status: response.status, flags: new Set(['NR']), details: reply.details } as unknown as StreamInfo
  compiled.value!(reply, response, { info, requestHeaders: createHeaderMap([['accept', accept]]) }, grpc)
  const text = Buffer.from(await readBody(response.body, 1000)).toString()
  return { status: response.status, logged: info.status, text, headers: Object.fromEntries(response.headers) }
}

describe('local_reply_config', () => {
  it('the first mapper that matches changes status, body and headers', async () => {
    const { status, logged, text, headers } = await rewritten({ status: 404, body: '', details: 'route_not_found' })
    expect([status, logged, text]).toEqual([410, 410, 'gone:410'])
    expect(headers).toMatchObject({ 'content-type': 'text/html', 'content-length': '8', 'x-flags': 'NR' })
  })

  it('a format of its own, with its content type', async () => {
    const { text, headers } = await rewritten({ status: 403, body: 'no', details: 'd' }, { accept: 'json' })
    expect([text, headers['content-type']]).toEqual(['{"code":403,"text":"no"}\n', 'application/json'])
  })

  it('gRPC callers get the text as their message, and the status that the new one means', async () => {
    const { status, logged, text, headers } = await rewritten({ status: 404, body: '', details: 'd' }, { grpc: true })
    expect([status, logged, text]).toEqual([200, 200, ''])
    expect(headers).toMatchObject({ 'grpc-status': '2', 'grpc-message': 'gone:410', 'content-type': 'application/grpc' })
  })

  it('what headers_to_add says of the content type stands; a gRPC message has not the line feed of JSON', async () => {
    const typed = { header: { key: 'content-type', value: 'x/y' }, append_action: 'OVERWRITE_IF_EXISTS_OR_ADD' }
    const json = { mappers: [{ ...CONFIG.mappers[1]!, headers_to_add: [typed] }] }
    const { headers } = await rewritten({ status: 403, body: 'no', details: 'd' }, { accept: 'json', config: json })
    expect(headers['content-type']).toBe('x/y')
    const told = await rewritten({ status: 403, body: 'no', details: 'd' }, { accept: 'json', grpc: true })
    expect(told.headers['grpc-message']).toBe('{"code":403,"text":"no"}')
  })

  it('a status that is none is refused', () => {
    const bad = { mappers: [{ filter: CONFIG.mappers[0]!.filter, status_code: 700 }] }
    const compiled = compileMessage(bad as object, 'c', (fields) => compileLocalReply(fields as never, testDeps()))
    expect(compiled.diagnostics[0]).toMatchObject({ path: 'c.mappers[0].status_code' })
  })
})
