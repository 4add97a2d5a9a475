import { fail, ok, problem, silentLogger } from '@heddle/runtime'
import { createFakeClock } from '@heddle/runtime/testing'
import type { RouteConfiguration } from '@heddle/xds-types/envoy/config/route/v3'
import { describe, expect, it } from 'vitest'
import type { RouteTable } from '../route/table.js'
import type { ReceivedUpdate } from '../xds/protocol.js'
import { createNamedValues } from './named-values.js'
import { createVirtualHostSet } from './virtual-host-set.js'

const TYPE = 'test/VirtualHost'

function setUp() {
  const clock = createFakeClock()
  const held = new Set<string>()
  const routes = createNamedValues<RouteTable>()
  let begun = 0
  const set = createVirtualHostSet({
    ...{ typeUrl: TYPE, routes, clock, logger: silentLogger, timeoutMs: 15_000 },
    begin: () => void begun++,
    hold(_, refs) {
      for (const { name } of refs) held.add(name)
    },
    compile({ name = '', virtual_hosts: hosts = [] }: RouteConfiguration) {
      const domains = hosts.flatMap(({ domains = [] }) => domains)
      if (new Set(domains).size < domains.length) return fail(problem('config.invalid', 'virtual_hosts[1].domains', 'twice'))
      return ok({ name, vhds: true, domains } as unknown as RouteTable)
    },
  })
  const host = (name: string, ...domains: string[]) => ({
    ...{ name, version: '1', message: ok({ name, domains }) },
    aliases: domains.map((domain) => `main/${domain}`),
  })
  const update = (more: Partial<ReceivedUpdate>) =>
    set.apply({ typeUrl: TYPE, version: '', nonce: 'n', resources: [], removed: [], controlPlane: '', ...more })
  const main = (...domains: string[]): void => {
    const message = { name: 'main', vhds: {}, virtual_hosts: [{ domains }] } as RouteConfiguration
    const compiled = set.compileTable(message)
    if (compiled.ok) set.setTable('main', compiled.value)
  }
  const domains = (): unknown => (routes.get('main') as unknown as { domains: string[] } | undefined)?.domains
  return { set, clock, held, host, update, main, domains, begun: () => begun }
}

describe('virtual hosts on demand', () => {
  it('the first table waits for what the server sends unasked, as long as for anything', async () => {
    const { main, update, host, domains, begun } = setUp()
    main('own')
    expect([domains(), begun()]).toEqual([undefined, 1])
    update({ resources: [host('main/shop', 'shop')] })
    expect(domains()).toEqual(['own', 'shop'])
    const late = setUp()
    late.main('own')
    await late.clock.advanceAsync(15_000)
    expect(late.domains()).toEqual(['own'])
  })

  it('a host is asked for once, joins its table, and stays with new routes until the server takes it back', async () => {
    const { set, main, update, host, domains, held } = setUp()
    update({})
    main('own')
    const waits = [set.demand('main', 'shop'), set.demand('main', 'shop')]
    expect([...held]).toEqual(['main/shop'])
    expect(waits[0]).toBe(waits[1])
    update({ resources: [host('main/store', 'shop', 'store')] })
    await waits[0]
    expect(set.demand('main', 'shop')).toBeUndefined()
    main('other')
    expect(domains()).toEqual(['other', 'shop', 'store'])
    update({ removed: ['main/store'] })
    expect(domains()).toEqual(['other'])
    expect(set.demand('main', 'store')).toBeUndefined()
  })

  it('one that does not exist is not waited for again; a silent server is not waited for any longer than it may take', async () => {
    const { set, clock, main, update } = setUp()
    update({})
    main()
    const nobody = set.demand('main', 'nobody')
    update({ absent: ['main/nobody'] })
    await nobody
    expect(set.demand('main', 'nobody')).toBeUndefined()
    const silent = set.demand('main', 'silent')
    await clock.advanceAsync(15_000)
    await silent
    expect(set.demand('main', 'silent')).not.toBe(silent)
  })

  it('names that are made up are forgotten, the oldest first', () => {
    const { set, main, update } = setUp()
    update({})
    main()
    for (let i = 0; i <= 1_000; i++) update({ absent: [`main/${i}`] })
    expect(set.demand('main', '1')).toBeUndefined()
    expect(set.demand('main', '0')).toBeInstanceOf(Promise)
  })

  it('one that its table cannot be with is refused by name, and the last good one stays', () => {
    const { main, update, host, domains, set } = setUp()
    update({})
    main('own')
    update({ resources: [host('main/shop', 'shop')] })
    expect(update({ resources: [host('main/shop', 'own'), host('main/bank', 'bank')] })).toEqual([
      { name: 'main/shop', message: 'domains: twice [config.invalid]' },
    ])
    expect(domains()).toEqual(['own', 'shop', 'bank'])
    expect(set.records()[0]).toMatchObject({ name: 'main/shop', error: { version: '1' } })
  })
})
