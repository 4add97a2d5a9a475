import { createFakeClock } from '@heddle/runtime/testing'
import type { Listener } from '@heddle/xds-types/envoy/config/listener/v3'
import type { ProxyProtocol } from '@heddle/xds-types/envoy/extensions/filters/listener/proxy_protocol/v3'
import { describe, expect, it } from 'vitest'
import type { CompiledListener } from '../../config/compiled.js'
import { compileListener } from '../../config/listener.js'
import { createConnectionPair } from '../../net/memory.js'
import { testDeps } from '../../testing.js'
import { inspectConnection } from './inspect.js'

const TYPES = 'type.googleapis.com/envoy.extensions.filters'

function compile(config: ProxyProtocol, ...after: string[]) {
  const typed = (name: string, fields: object = {}) => ({ name, typed_config: { '@type': `${TYPES}.${name}`, ...fields } })
  const message: Listener = {
    name: 'in',
    address: { socket_address: { address: '10.0.0.1', port_value: 80 } },
    listener_filters: [
      ...after.filter((name) => name.startsWith('!')).map((name) => typed(name.slice(1))),
      typed('listener.proxy_protocol.v3.ProxyProtocol', config),
      ...after.filter((name) => !name.startsWith('!')).map((name) => typed(name)),
    ],
    filter_chains: [{ filters: [typed('network.tcp_proxy.v3.TcpProxy', { stat_prefix: 't', cluster: 'c' })] }],
  }
  return compileListener(message, testDeps(), 'in')
}

function listener(config: ProxyProtocol, ...after: string[]): CompiledListener {
  const compiled = compile(config, ...after)
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
  return compiled.value
}

/** What becomes of a connection that begins with `bytes`, sent one at a time. */
async function accept(compiled: CompiledListener, bytes: Uint8Array) {
  const clock = createFakeClock()
  const [client, server] = createConnectionPair({ address: '10.0.0.9', port: 5 }, { address: '10.0.0.1', port: 80 })
  const seen: string[] = []
  const inspecting = inspectConnection(server, compiled, clock, {
    absent: (allowed) => seen.push(allowed ? 'not_found_allowed' : 'not_found_disallowed'),
    version: (version, outcome) => seen.push(`${version} ${outcome}`),
  })
  for (const byte of bytes) client.write(Uint8Array.of(byte))
  client.end()
  const facts = await inspecting
  let rest = ''
  if (facts !== undefined) {
    server.handle({
      onData: (part) => {
        rest += Buffer.from(part).toString()
      },
      ...{ onEnd() {}, onDrain() {}, onClose() {} },
    })
    server.resume()
    await clock.advanceAsync(0)
  }
  return { facts, server, rest, seen }
}

const V1 = Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\nGET / HTTP/1.1\r\n')
const v2 = (tlvs: string) => {
  const block = Buffer.from(`0102030405060708045708ae${tlvs}`, 'hex')
  return Buffer.concat([
    Buffer.from('0d0a0d0a000d0a515549540a2111', 'hex'),
    Uint8Array.of(0, block.length),
    block,
    Buffer.from('hi'),
  ])
}

describe('proxy_protocol', () => {
  it('gives the connection the addresses of the header, which is gone then', async () => {
    const { facts, rest, server, seen } = await accept(listener({}, 'listener.http_inspector.v3.HttpInspector'), V1)
    expect(facts).toMatchObject({
      source: { address: '1.2.3.4', port: 1111 },
      directSource: { address: '10.0.0.9', port: 5 },
      destination: { address: '5.6.7.8', port: 2222 },
      applicationProtocols: ['http/1.1'],
    })
    expect(rest).toBe('GET / HTTP/1.1\r\n')
    expect(server.remote.address).toBe('1.2.3.4')
    expect(seen).toEqual(['V1 found'])
  })

  it('makes TLVs dynamic metadata, and keeps those that may be passed on', async () => {
    const rules = [
      { tlv_type: 2, on_tlv_present: { key: 'authority' } },
      { tlv_type: 0xe0, on_tlv_present: { metadata_namespace: 'mine', key: 'raw', value_string_encoding: 'BASE64' as const } },
    ]
    const config: ProxyProtocol = { rules, pass_through_tlvs: { match_type: 'INCLUDE', tlv_type: [0xe0] } }
    const { server, rest } = await accept(listener(config), v2('020003612e62e00002ff00'))
    expect([...(server.metadata ?? [])]).toEqual([
      ['envoy.filters.listener.proxy_protocol', { authority: 'a.b' }],
      ['mine', { raw: '/wA=' }],
    ])
    expect(server.tlvs).toEqual([{ type: 0xe0, value: Uint8Array.of(0xff, 0) }])
    expect(rest).toBe('hi')
  })

  it('takes the first of two TLVs', async () => {
    const rules = [{ tlv_type: 2, on_tlv_present: { key: 'authority' } }]
    const { server } = await accept(listener({ rules }), v2('020003612e62020003632e64'))
    expect(server.metadata?.get('envoy.filters.listener.proxy_protocol')).toEqual({ authority: 'a.b' })
  })

  it('CVE-2024-23324: a TLV that is no UTF-8 becomes text that is', async () => {
    const { server } = await accept(
      listener({ rules: [{ tlv_type: 2, on_tlv_present: { key: 'authority' } }] }),
      v2('02000361ff62'),
    )
    expect(server.metadata?.get('envoy.filters.listener.proxy_protocol')).toEqual({ authority: 'a!b' })
  })

  it.each<[string, ProxyProtocol, Uint8Array, boolean, string]>([
    ['no header', {}, Buffer.from('GET / HTTP/1.1\r\n'), false, 'not_found_disallowed'],
    [
      'no header where it may be missing',
      { allow_requests_without_proxy_protocol: true },
      Buffer.from('hello'),
      true,
      'not_found_allowed',
    ],
    [
      'a bad header, even where it may be missing',
      { allow_requests_without_proxy_protocol: true },
      Buffer.from('PROXY X\r\n'),
      false,
      'V1 error',
    ],
    ['a disallowed version', { disallowed_versions: ['V1'] }, V1, false, 'V1 disallowed'],
    [
      'a disallowed version where a header may be missing: it is payload',
      { disallowed_versions: ['V1'], allow_requests_without_proxy_protocol: true },
      V1,
      true,
      'not_found_allowed',
    ],
  ])('%s', async (_, config, bytes, goesOn, counter) => {
    const { facts, rest, seen } = await accept(listener(config), bytes)
    expect(facts !== undefined).toBe(goesOn)
    if (goesOn) expect(rest).toBe(Buffer.from(bytes).toString())
    expect(seen).toEqual([counter])
  })

  it('is refused behind an inspector, which would see the header', () => {
    const compiled = compile({}, '!listener.tls_inspector.v3.TlsInspector')
    expect(compiled.ok ? '' : compiled.diagnostics[0]?.message).toContain('must stand before the inspectors')
  })
})
