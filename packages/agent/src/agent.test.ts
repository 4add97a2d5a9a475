import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createWatch, silentLogger } from '@heddle/runtime'
import { createFakeClock, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, test } from 'vitest'
import { appProbes } from './app-probes.js'
import { proxyCommand } from './command-line.js'
import { appScrape, mergeMetrics } from './metrics.js'
import { createReadiness } from './readiness.js'
import { type AgentEnvironment, goDuration, proxySettings } from './settings.js'
import { createSupervisor } from './supervisor.js'

const settings = (given: Partial<AgentEnvironment> = {}) => {
  const env = { POD_NAME: 'cart-1', POD_NAMESPACE: 'shop', INSTANCE_IP: '10.0.0.7', SERVICE_ACCOUNT: 'cart', ...given.env }
  return proxySettings({ type: 'sidecar', flags: {}, ...given, env })
}
const good = (given?: Partial<AgentEnvironment>) => {
  const result = settings(given)
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join(' '))
  return result.value
}

describe('settings', () => {
  test('flags count before PROXY_CONFIG, and that before the defaults', () => {
    const { drainMs, proxyConfig } = good({
      flags: { drainDuration: '1m30s' },
      env: { PROXY_CONFIG: '{"drainDuration":"5s","proxyAdminPort":15999}' },
    })
    expect({ drainMs, admin: proxyConfig.proxyAdminPort, status: proxyConfig.statusPort }).toEqual({
      drainMs: 90_000,
      admin: 15_999,
      status: 15_020,
    })
  })

  test('the pod tells who it is', () => {
    const { proxy } = good({
      labels: 'app="cart"\nversion="v\\"1"\n',
      env: { ISTIO_META_WORKLOAD_NAME: 'cart', ISTIO_METAJSON_LIST: '[1]', ISTIO_METAJSON_BAD: '{' },
    })
    expect(proxy).toMatchObject({
      id: 'cart-1',
      namespace: 'shop',
      serviceAccount: 'cart',
      labels: { app: 'cart', version: 'v"1' },
    })
    expect(proxy.metadata).toMatchObject({ NAME: 'cart-1', WORKLOAD_NAME: 'cart', LIST: [1] })
    expect(proxy.metadata).not.toHaveProperty('BAD')
  })

  test.each<[AgentEnvironment['flags'], string]>([
    [{ drainDuration: '5 parrots' }, 'drainDuration'],
    [{ proxyAdminPort: '99999' }, 'proxyAdminPort'],
    [{ controlPlaneAuthPolicy: 'MAYBE' }, 'controlPlaneAuthPolicy'],
  ])('%j is refused by its name', (flags, path) => {
    const result = settings({ flags })
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: 'agent.invalid_setting', path }] })
  })

  test.each<[string, number | undefined]>([
    ['45s', 45_000],
    ['1m0s', 60_000],
    ['1h2m3.5s', 3_723_500],
    ['250ms', 250],
    ['', undefined],
    ['45', undefined],
  ])('%j is %s ms', (text, ms) => expect(goDuration(text)).toBe(ms))
})

test('Envoy gets pilot-agent’s command line, ours what it has of it', () => {
  const given = good({ flags: { drainDuration: '2s', parentShutdownDuration: '3s', concurrency: '2' } })
  const { args } = proxyCommand({ kind: 'envoy', path: '/envoy' }, '/b.json', given, { componentLevel: 'misc:error' })
  expect(args.join(' ')).toContain('-c /b.json --drain-time-s 2 -l warning')
  expect(args.join(' ')).toContain('--parent-shutdown-time-s 3')
  expect(args.slice(-4)).toEqual(['--component-log-level', 'misc:error', '--concurrency', '2'])
  expect(proxyCommand({ kind: 'heddle', path: 'node', args: ['heddle.js', 'proxy'] }, '/b.json', given)).toEqual({
    command: 'node',
    args: ['heddle.js', 'proxy', '-c', '/b.json', '--drain-time-s', '2', '-l', 'warning'],
  })
})

describe('metrics', () => {
  test('one exposition; what could not be read is left out', () =>
    expect(mergeMetrics('a 1', undefined, 'b 2\n# EOF\n')).toBe('a 1\nb 2\n'))

  test.each([
    ['{"scrape":"true","port":"9090","path":"/m"}', { port: 9090, path: '/m' }],
    ['{"scrape":"true"}', { port: 80, path: '/metrics' }],
    ['{"scrape":"false","port":"9090"}', undefined],
    ['nonsense', undefined],
    [undefined, undefined],
  ])('%s', (variable, scrape) => expect(appScrape(variable)).toEqual(scrape))

  test('probers that are no JSON are none', () => expect(appProbes('{')).toEqual({}))
})

test('not ready without a process, nor before clusters and listeners, nor while draining', async () => {
  const running = createWatch<number | undefined>(undefined)
  let draining = false
  const readiness = createReadiness({ admin: 'http://127.0.0.1:1', running, draining: () => draining })
  expect(await readiness.notReady()).toBe('the proxy does not run')
  running.set(7)
  readiness.answered('type.googleapis.com/envoy.config.cluster.v3.Cluster')
  expect(await readiness.notReady()).toBe('no configuration yet: Listener')
  draining = true
  expect(await readiness.notReady()).toBe('draining')
})

describe('supervision', () => {
  const build = () => {
    const clock = createFakeClock()
    const children: (EventEmitter & { pid: number; kills: string[] })[] = []
    const start = (): ChildProcess => {
      const child = Object.assign(new EventEmitter(), {
        pid: children.length + 1,
        kills: [] as string[],
        kill: (s: string) => child.kills.push(s),
      })
      children.push(child)
      return child as unknown as ChildProcess
    }
    const supervisor = createSupervisor({
      ...{ command: 'envoy', args: [], clock, random: createSeededRandom(1), logger: silentLogger, start },
    })
    return { clock, children, supervisor }
  }

  test('at once the first time, then later and later; who has run for a while begins anew', async () => {
    const { clock, children, supervisor } = build()
    supervisor.start()
    children[0]?.emit('exit', null, 'SIGKILL')
    expect(supervisor.running.current).toBeUndefined()
    await clock.advance(0)
    expect(supervisor.running.current).toBe(2)
    children[1]?.emit('exit', 1, null)
    await clock.advance(0)
    expect(children).toHaveLength(2)
    await clock.advance(400)
    expect(children).toHaveLength(3)
    await clock.advance(10_000)
    children[2]?.emit('exit', 1, null)
    await clock.advance(0)
    expect(children).toHaveLength(4)
    expect(supervisor.restarts).toBe(3)
  })

  test('stopped it stays away; who does not heed the signal is killed', async () => {
    const { clock, children, supervisor } = build()
    supervisor.start()
    const stopped = supervisor.stop('SIGTERM', 1_000)
    await clock.advance(1_000)
    expect(children[0]?.kills).toEqual(['SIGTERM', 'SIGKILL'])
    children[0]?.emit('exit', null, 'SIGKILL')
    await stopped
    await clock.advance(60_000)
    expect(children).toHaveLength(1)
  })
})
