import { createMetricsRegistry } from '@heddle/runtime'
import { createFakeClock, createMemoryLogger, createSeededRandom } from '@heddle/runtime/testing'
import { describe, expect, it } from 'vitest'
import type { LocalReply } from '../../http/message.js'
import { dottedName } from '../../observe/stat-name.js'
import { rbacFilter } from './rbac.js'
import { configured, deps, logger, must, run, stream } from './testing.js'

describe('rbac', () => {
  const deny = {
    rules: {
      action: 'DENY',
      policies: {
        'ns[nolen]-policy[no admin]-rule[0]': {
          permissions: [{ url_path: { path: { prefix: '/admin' } } }],
          principals: [{ any: true }],
        },
      },
    },
  }

  it('tells the caller nothing, the operator everything', () => {
    const reply = run(configured(rbacFilter, deny), stream({ path: '/admin/x' })) as LocalReply
    expect(reply).toEqual({
      status: 403,
      body: 'RBAC: access denied',
      details: 'rbac_access_denied_matched_policy[ns[nolen]-policy[no_admin]-rule[0]]',
    })
    expect(JSON.stringify(logger.entries)).toContain('no admin')
    expect(run(configured(rbacFilter, deny), stream({ path: '/info' }))).toBeUndefined()
  })

  it('takes principals from a verified certificate only', () => {
    const rules = {
      policies: {
        p: {
          permissions: [{ any: true }],
          principals: [{ authenticated: { principal_name: { exact: 'spiffe://td/ns/a/sa/b' } } }],
        },
      },
    }
    const create = configured(rbacFilter, { rules })
    expect(run(create, stream({ tls: { peerVerified: true, peerUris: ['spiffe://td/ns/a/sa/b'] } }))).toBeUndefined()
    expect(run(create, stream({ tls: { peerVerified: false, peerUris: ['spiffe://td/ns/a/sa/b'] } }))).toMatchObject({
      status: 403,
    })
    expect(run(create, stream())).toMatchObject({ status: 403 })
  })

  it('shadow rules change nothing but metadata', () => {
    const asked = stream({ path: '/admin' })
    const create = configured(rbacFilter, { shadow_rules: deny.rules, shadow_rules_stat_prefix: 'istio_dry_run_deny_' })
    expect(run(create, asked)).toBeUndefined()
    expect(asked.info.metadata.get('envoy.filters.http.rbac')).toEqual({
      istio_dry_run_deny_shadow_engine_result: 'denied',
      istio_dry_run_deny_shadow_effective_policy_id: 'ns[nolen]-policy[no admin]-rule[0]',
    })
  })

  it.each<[string, object, object]>([
    [
      'a policy',
      { rules: deny.rules },
      { enforced_engine_result: 'denied', enforced_effective_policy_id: 'ns[nolen]-policy[no admin]-rule[0]' },
    ],
    ['no policy', { rules: { policies: {} } }, { enforced_engine_result: 'denied' }],
    ['rules that log', { rules: { action: 'LOG', policies: {} } }, { enforced_engine_result: 'allowed' }],
    ['rules under a prefix', { rules: { action: 'DENY' }, rules_stat_prefix: 'rp_' }, { rp_enforced_engine_result: 'allowed' }],
    [
      'both',
      { rules: { action: 'DENY' }, shadow_rules: {} },
      { shadow_engine_result: 'denied', enforced_engine_result: 'allowed' },
    ],
  ])('metadata tells what was decided, and by which policy: %s', (_, config, want) => {
    const asked = stream({ path: '/admin' })
    run(configured(rbacFilter, config), asked)
    expect(asked.info.metadata.get('envoy.filters.http.rbac')).toEqual(want)
  })

  it('counts under the prefixes of the manager and of the rules', () => {
    const stats = createMetricsRegistry()
    const config = { ...deny, shadow_rules: deny.rules, shadow_rules_stat_prefix: 'sp_' }
    run(configured(rbacFilter, config, deps({ stats, statPrefix: 'in' })), stream({ path: '/admin' }))
    const counter = (name: string) =>
      stats.counter(`envoy_http_rbac_${name}`, '', ['envoy_http_conn_manager_prefix', 'envoy_rbac_prefix'])
    expect(counter('denied').labels('in', '').value).toBe(1)
    expect(counter('shadow_denied').labels('in', 'sp_').value).toBe(1)
  })

  it('counts each policy where track_per_rule_stats says so, under the prefixes of the filter', () => {
    const stats = createMetricsRegistry()
    const rules = { action: 'DENY', policies: { 'a b': { permissions: [{ any: true }], principals: [{ any: true }] } } }
    const rbac = { rules, shadow_rules: rules, track_per_rule_stats: true, rules_stat_prefix: 'own_' }
    const perRoute = must(rbacFilter.decodePerRoute!({ rbac }, ''))
    const create = configured(rbacFilter, { rules_stat_prefix: 'rp_' }, deps({ stats, statPrefix: 'in' }))
    run(create, stream({ perRoute }))
    const names = [...stats.families()].flatMap(({ name, labelNames, series }) =>
      [...series()].map(([values]) => dottedName(name, labelNames, values)),
    )
    expect(names.sort()).toEqual([
      'http.in.rbac.policy.a b.shadow_denied',
      'http.in.rbac.rp_.denied',
      'http.in.rbac.rp_.policy.a b.denied',
      'http.in.rbac.shadow_denied',
    ])
  })

  it('counts what rules of a route say where the filter counts, and hints at lines under envoy.common', () => {
    const stats = createMetricsRegistry()
    const rules = { action: 'LOG', policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } }
    const perRoute = must(
      rbacFilter.decodePerRoute!({ rbac: { rules, shadow_rules: deny.rules, shadow_rules_stat_prefix: 'own_' } }, ''),
    )
    const asked = stream({ path: '/admin', perRoute })
    run(configured(rbacFilter, deny, deps({ stats, statPrefix: 'in' })), asked)
    const labels = ['envoy_http_conn_manager_prefix', 'envoy_rbac_prefix']
    expect(stats.counter('envoy_http_rbac_shadow_denied', '', labels).labels('in', '').value).toBe(1)
    expect(asked.info.metadata.get('envoy.common')).toEqual({ access_log_hint: true })
  })

  it('a route can replace the rules, or switch them off', () => {
    const off = must(rbacFilter.decodePerRoute!({}, ''))
    expect(run(configured(rbacFilter, deny), stream({ path: '/admin', perRoute: off }))).toBeUndefined()
    const other = must(rbacFilter.decodePerRoute!({ rbac: { rules: { policies: {} } } }, ''))
    expect(run(configured(rbacFilter, deny), stream({ path: '/info', perRoute: other }))).toMatchObject({ status: 403 })
  })

  it('explains with the very same engine', () => {
    const question = {
      head: stream({ path: '/admin' }).request,
      client: '10.0.0.9',
      perRoute: undefined,
      perRouteConfigs: [],
      metadata: new Map(),
      clock: createFakeClock(),
      random: createSeededRandom(1),
      facts: {
        source: { address: '10.0.0.9', port: 1 },
        directSource: { address: '10.0.0.9', port: 1 },
        destination: { address: '10.0.0.1', port: 80 },
        transportProtocol: 'raw_buffer' as const,
        applicationProtocols: [],
      },
    }
    expect(rbacFilter.explain!(must(rbacFilter.decode(deny, '')), question)).toMatchObject({
      outcome: 'reply',
      reason: 'DENY policy ns[nolen]-policy[no admin]-rule[0] matched',
      reply: { status: 403 },
    })
  })

  it('a rehearsal tells whom it would have denied, and by which rule; marks for ext_authz tell nothing', () => {
    const told = (prefix: string): string => {
      const own = createMemoryLogger()
      const create = configured(rbacFilter, { shadow_rules: deny.rules, shadow_rules_stat_prefix: prefix }, deps({ logger: own }))
      expect(run(create, stream({ path: '/admin' }))).toBeUndefined()
      return JSON.stringify(own.entries)
    }
    expect(told('istio_dry_run_deny_')).toContain('DENY policy ns[nolen]-policy[no admin]-rule[0] matched')
    expect(told('istio_ext_authz_')).toBe('[]')
  })
})
