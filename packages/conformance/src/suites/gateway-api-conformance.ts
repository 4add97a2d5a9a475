import type { KubernetesGateway, KubernetesHTTPRoute, Store } from '@heddle/config-model'
import { isMap, short } from '../compare.js'
import { findData } from '../data.js'
import { each, type Suite, type Verdict } from '../suite.js'
import { type Cluster, clusterOf, refOf, type Workload } from './gateway-api-cluster.js'
import type { Fixtures } from './gateway-api-fixtures.js'
import { type Got, type Sent, type Stack, startStack } from './gateway-api-stack.js'
import { routesAccepted, STATUS_CHECKS } from './gateway-api-status.js'
import { type Json, mapAt, textAt } from './mesh.js'

interface Case {
  readonly id: string
  readonly manifests: readonly string[]
  readonly actions: readonly { readonly check: string; readonly args: readonly unknown[] }[]
}

/** The Gateway API's own conformance: manifests, then status assertions and requests through translated proxies to echo servers, in order. */
export const gatewayApiConformance: Suite = {
  name: 'gateway-api-conformance',
  file: 'gateway-api-conformance.json',
  async *run(data) {
    const fixtures = findData([data.folder], 'gateway-api-fixtures.json')[0]?.json() as Fixtures | undefined
    const certificate = fixtures?.secretsAndConfigMaps.find(({ Data }) => 'tls.key' in Data)?.Data
    if (certificate === undefined) throw new Error('gateway-api-fixtures.json, of which a certificate is taken, is missing')
    yield* each(
      data.json() as Case[],
      ({ id }) => id,
      (one) => judge(one, certificate),
    )
  },
}

async function judge({ manifests, actions }: Case, certificate: Json): Promise<Verdict> {
  if (actions.length === 0) return 'nothing is asserted'
  const cluster = clusterOf(manifests, certificate)
  const stack = await startStack(cluster)
  try {
    let gateway: Workload | undefined
    for (const [i, { check, args }] of actions.entries()) {
      const name = check.replace(/^kubernetes\./, '')
      if (/^(Gateway|Routes)And\w+MustBeAccepted$/.test(name)) {
        const routes = args.filter((one) => textAt(one, 'Name') !== '').map(refOf)
        const found = routesAccepted(cluster.store, routes)
        if (found !== undefined) return `${i} ${name}: ${found}`
        gateway = gatewayOf(cluster.store, routes) ?? gateway
        continue
      }
      if (name.startsWith('Gateway') && textAt(args[0], 'Name') !== '') gateway = refOf(args[0])
      const found =
        check === 'http.MakeRequestAndExpectEventuallyConsistentResponse'
          ? await call(cluster, stack, gateway, args[1])
          : status(cluster, name, args)
      if (found !== undefined) return `${i} ${name}: ${found}`
    }
    return undefined
  } finally {
    await stack.close()
  }
}

function status({ store }: Cluster, name: string, args: readonly unknown[]): Verdict {
  const check = STATUS_CHECKS[name]
  return check === undefined ? 'this check is not there yet' : check(store, args)
}

/** The Gateway that all these routes name, by a ListenerSet perhaps. */
function gatewayOf(store: Store, routes: readonly Workload[]): Workload | undefined {
  const snapshot = store.snapshot()
  const parents = routes.map(({ namespace, name }) => {
    const route: Pick<KubernetesHTTPRoute, 'spec'> | undefined = snapshot.get('HTTPRoute', namespace, name)
    return (route?.spec.parentRefs ?? []).map((ref) => {
      const at = { namespace: ref.namespace ?? namespace, name: ref.name }
      const set = ref.kind === 'ListenerSet' ? snapshot.get('ListenerSet', at.namespace, at.name) : undefined
      const { parentRef } = set?.spec ?? {}
      return parentRef === undefined ? at : { namespace: parentRef.namespace ?? at.namespace, name: parentRef.name }
    })
  })
  const [first = [], ...others] = parents
  const keyOf = ({ namespace, name }: Workload): string => `${namespace}/${name}`
  return first.find((one) => others.every((list) => list.some((other) => keyOf(other) === keyOf(one))))
}

async function call(cluster: Cluster, stack: Stack, gateway: Workload | undefined, wanted: unknown): Promise<Verdict> {
  if (gateway === undefined || !isMap(wanted)) return 'no Gateway to ask'
  const sent = sentOf(wanted)
  const listeners = cluster.store.snapshot().get('KubernetesGateway', gateway.namespace, gateway.name)?.spec.listeners
  const got = await stack.send(gateway, portOf(sent.host, listeners), sent)
  return got === undefined ? `nothing listens for ${sent.host}` : difference(wanted, sent, got)
}

/** The port that the host names, where a listener has it; else that of the first listener of plain HTTP. */
function portOf(host: string, listeners: KubernetesGateway['spec']['listeners'] = []): number {
  const named = Number(host.split(':')[1])
  const one = listeners.find(({ port }) => port === named) ?? listeners.find(({ protocol }) => protocol === 'HTTP')
  return one?.port ?? 80
}

function sentOf(wanted: Json): Sent {
  const request = mapAt(wanted, 'Request')
  const set = Object.entries(mapAt(wanted, 'BackendSetResponseHeaders') ?? {}).map(([name, value]) => `${name}:${String(value)}`)
  return {
    method: textAt(request, 'Method') || 'GET',
    path: textAt(request, 'Path') || '/',
    host: textAt(request, 'Host') || '10.1.0.1',
    headers: {
      ...((mapAt(request, 'Headers') ?? {}) as Readonly<Record<string, string>>),
      ...(set.length === 0 ? {} : { 'X-Echo-Set-Header': set.join(',') }),
    },
  }
}

function difference(wanted: Json, sent: Sent, { status, headers, echo }: Got): Verdict {
  const response = mapAt(wanted, 'Response')
  const code = Number(response?.['StatusCode'] ?? 200)
  if (status !== code) return `${sent.host}${sent.path}: want status ${code}, got ${status}`
  const found = headerDifference(headers, mapAt(response, 'Headers'), namesAt(response, 'AbsentHeaders'))
  if (found !== undefined || status !== 200) return found
  const backend = textAt(wanted, 'Backend')
  if (backend !== '' && !textAt(echo, 'pod').startsWith(backend))
    return `${sent.host}${sent.path}: want ${backend}, got ${textAt(echo, 'pod')}`
  if (textAt(wanted, 'Namespace') !== textAt(echo, 'namespace')) return `want namespace ${textAt(wanted, 'Namespace')}`
  const asked = mapAt(wanted, 'ExpectedRequest', 'Request') ?? mapAt(wanted, 'Request')
  const path = textAt(asked, 'Path') || sent.path
  if (path !== textAt(echo, 'path')) return `want path ${path} at the backend, got ${textAt(echo, 'path')}`
  return headerDifference(
    mapAt(echo, 'headers') ?? {},
    mapAt(asked, 'Headers'),
    namesAt(mapAt(wanted, 'ExpectedRequest'), 'AbsentHeaders'),
  )
}

function namesAt(value: unknown, field: string): readonly string[] {
  const list = isMap(value) ? value[field] : undefined
  return Array.isArray(list) ? list.map(String) : []
}

/** Values of several lines of one header count as one, without spaces. */
function headerDifference(got: Json, want: Json = {}, absent: readonly string[]): Verdict {
  const said = (name: string): string | undefined => {
    const value = got[name.toLowerCase()]
    return value === undefined ? undefined : String(value).replaceAll(', ', ',')
  }
  for (const [name, value] of Object.entries(want)) {
    if (said(name) !== String(value).replaceAll(', ', ','))
      return `want header ${name}: ${short(value)}, got ${short(said(name))}`
  }
  const there = absent.find((name) => said(name) !== undefined)
  return there === undefined ? undefined : `header ${there} is there: ${short(said(there))}`
}
