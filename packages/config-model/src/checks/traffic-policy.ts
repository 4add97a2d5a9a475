import { into, refuse, type Site, warn } from '../decode/site.js'
import type {
  ConnectionPoolSettings,
  LoadBalancerSettings,
  OutlierDetection,
  TrafficPolicy,
  TunnelSettings,
} from '../kinds/traffic-policy.js'
import { domainProblem } from '../names/host.js'
import { isIpAddress } from '../names/ip.js'
import { CODE } from './code.js'
import { checkDuration } from './duration.js'
import { each } from './each.js'
import { checkLocality } from './locality.js'
import { checkPort } from './port.js'
import { checkClientTls } from './tls.js'

/** Everything of a traffic policy; `site` is its own place. */
export function checkTrafficPolicy(policy: TrafficPolicy | undefined, site: Site): void {
  if (policy === undefined) return
  if (Object.keys(policy).length === 0) refuse(site, CODE.required, 'traffic policy must have at least one field')
  if (policy.tunnel !== undefined && policy.proxyProtocol !== undefined)
    refuse(site, CODE.conflict, 'tunnel and proxyProtocol must not be set together')
  checkCommon(policy, site)
  each(policy.portLevelSettings, site, 'portLevelSettings', (settings, at) => {
    const { port: _, ...rest } = settings
    if (Object.keys(rest).length === 0) refuse(at, CODE.required, 'port traffic policy must have at least one field')
    checkCommon(settings, at)
  })
  if (policy.tunnel !== undefined) checkTunnel(policy.tunnel, into(site, 'tunnel'))
  const percent = policy.retryBudget?.percent
  if (percent !== undefined && (percent < 0 || percent > 100))
    refuse(into(into(site, 'retryBudget'), 'percent'), CODE.range, 'must be from 0 to 100')
}

function checkCommon(
  policy: Pick<TrafficPolicy, 'loadBalancer' | 'connectionPool' | 'outlierDetection' | 'tls'>,
  site: Site,
): void {
  checkOutlierDetection(policy.outlierDetection, into(site, 'outlierDetection'))
  checkConnectionPool(policy.connectionPool, into(site, 'connectionPool'))
  checkLoadBalancer(policy.loadBalancer, policy.outlierDetection, into(site, 'loadBalancer'))
  checkClientTls(policy.tls, site)
}

function checkTunnel({ protocol = '', targetHost, targetPort }: TunnelSettings, at: Site): void {
  if (!['', 'CONNECT', 'POST'].includes(protocol))
    refuse(into(at, 'protocol'), CODE.invalid, 'tunnel protocol must be "CONNECT" or "POST"')
  const problem = domainProblem(targetHost)
  if (problem !== undefined && !isIpAddress(targetHost)) {
    refuse(into(at, 'targetHost'), CODE.host, `tunnel target host must be valid FQDN or IP address: ${problem}`)
  }
  checkPort(targetPort, into(at, 'targetPort'))
}

function checkOutlierDetection(outlier: OutlierDetection | undefined, at: Site): void {
  if (outlier === undefined) return
  checkDuration(outlier.baseEjectionTime, at, 'baseEjectionTime')
  checkDuration(outlier.interval, at, 'interval')
  if ((outlier.consecutiveErrors ?? 0) !== 0) {
    warn(
      into(at, 'consecutiveErrors'),
      CODE.deprecated,
      'consecutiveErrors is deprecated, use consecutiveGatewayErrors or consecutive5xxErrors instead',
    )
  }
  if (outlier.splitExternalLocalOriginErrors !== true && (outlier.consecutiveLocalOriginFailures ?? 0) > 0) {
    refuse(
      into(at, 'consecutiveLocalOriginFailures'),
      CODE.conflict,
      'is specified, but splitExternalLocalOriginErrors is not true',
    )
  }
  for (const field of ['maxEjectionPercent', 'minHealthPercent'] as const) {
    const value = outlier[field] ?? 0
    if (value < 0 || value > 100) refuse(into(at, field), CODE.range, `percentage ${value} is not in range 0..100`)
  }
}

/** `at` is the place of the settings. */
export function checkConnectionPool(pool: ConnectionPoolSettings | undefined, at: Site): void {
  if (pool === undefined) return
  const { http, tcp } = pool
  if (http === undefined && tcp === undefined) refuse(at, CODE.required, 'connection pool must have at least one field')
  if (http !== undefined) {
    const place = into(at, 'http')
    for (const field of [
      'http1MaxPendingRequests',
      'http2MaxRequests',
      'maxRequestsPerConnection',
      'maxRetries',
      'maxConcurrentStreams',
    ] as const) {
      if ((http[field] ?? 0) < 0) refuse(into(place, field), CODE.range, 'must be non-negative')
    }
    checkDuration(http.idleTimeout, place, 'idleTimeout')
    if (http.h2UpgradePolicy === 'UPGRADE' && http.useClientProtocol === true) {
      refuse(
        into(place, 'useClientProtocol'),
        CODE.conflict,
        'use client protocol must not be true when H2UpgradePolicy is UPGRADE',
      )
    }
    if (http.http2KeepAlive !== undefined) {
      const keepAlive = into(place, 'http2KeepAlive')
      for (const field of ['interval', 'timeout'] as const) {
        if (http.http2KeepAlive[field] === undefined) refuse(into(keepAlive, field), CODE.required, `${field} is required`)
        else checkDuration(http.http2KeepAlive[field], keepAlive, field)
      }
    }
  }
  if (tcp === undefined) return
  const place = into(at, 'tcp')
  if ((tcp.maxConnections ?? 0) < 0) refuse(into(place, 'maxConnections'), CODE.range, 'must be non-negative')
  checkDuration(tcp.connectTimeout, place, 'connectTimeout')
  checkDuration(tcp.maxConnectionDuration, place, 'maxConnectionDuration')
  // 0 turns it off.
  if (tcp.idleTimeout !== 0) checkDuration(tcp.idleTimeout, place, 'idleTimeout')
  checkDuration(tcp.tcpKeepalive?.time, into(place, 'tcpKeepalive'), 'time')
  checkDuration(tcp.tcpKeepalive?.interval, into(place, 'tcpKeepalive'), 'interval')
}

const MAX_MAGLEV_TABLE = 5_000_011

function checkLoadBalancer(settings: LoadBalancerSettings | undefined, outlier: OutlierDetection | undefined, at: Site): void {
  if (settings === undefined) return
  const { simple, consistentHash, localityLbSetting, zoneAwareLbSetting, warmup } = settings
  if (simple !== undefined && consistentHash !== undefined)
    refuse(at, CODE.conflict, 'only one of simple and consistentHash may be set')
  if (localityLbSetting !== undefined && zoneAwareLbSetting !== undefined) {
    refuse(at, CODE.conflict, 'only one of localityLbSetting and zoneAwareLbSetting may be set')
  }
  if (consistentHash !== undefined) checkConsistentHash(consistentHash, into(at, 'consistentHash'))
  checkLocality(localityLbSetting, outlier !== undefined, into(at, 'localityLbSetting'))
  if (warmup === undefined) return
  const place = into(at, 'warmup')
  if (warmup.duration === 0) refuse(into(place, 'duration'), CODE.required, 'duration is required')
  else checkDuration(warmup.duration, place, 'duration')
  const minimum = warmup.minimumPercent ?? 0
  if (minimum < 0 || minimum > 100) refuse(into(place, 'minimumPercent'), CODE.range, 'must be from 0 to 100')
  if ((warmup.aggression ?? 1) < 1) refuse(into(place, 'aggression'), CODE.range, 'must be at least 1')
}

function checkConsistentHash(hash: NonNullable<LoadBalancerSettings['consistentHash']>, at: Site): void {
  const keys = [hash.httpHeaderName, hash.httpCookie, hash.useSourceIp, hash.httpQueryParameterName].filter(
    (key) => key !== undefined,
  )
  if (keys.length > 1)
    refuse(at, CODE.conflict, 'only one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName may be set')
  if (hash.ringHash !== undefined && hash.maglev !== undefined)
    refuse(at, CODE.conflict, 'only one of ringHash and maglev may be set')
  if (hash.httpCookie !== undefined) {
    const place = into(at, 'httpCookie')
    if (hash.httpCookie.name === '') refuse(into(place, 'name'), CODE.required, 'name required for HttpCookie')
    const names = new Set<string>()
    each(hash.httpCookie.attributes, place, 'attributes', ({ name }, where) => {
      if (name === '') refuse(into(where, 'name'), CODE.required, 'name required for a cookie attribute')
      else if (names.has(name)) refuse(into(where, 'name'), CODE.duplicate, `cookie attribute ${name} is there twice`)
      names.add(name)
    })
  }
  if (hash.maglev === undefined) return
  const size = hash.maglev.tableSize ?? 0
  const place = into(into(at, 'maglev'), 'tableSize')
  if (size === 0) refuse(place, CODE.required, 'tableSize must be set for maglev')
  else if (size >= MAX_MAGLEV_TABLE) refuse(place, CODE.range, `tableSize must be less than ${MAX_MAGLEV_TABLE} for maglev`)
  else if (!isPrime(size)) refuse(place, CODE.invalid, 'tableSize must be a prime number for maglev')
}

function isPrime(number: number): boolean {
  if (number < 2) return false
  for (let factor = 2; factor * factor <= number; factor++) if (number % factor === 0) return false
  return true
}
