import type { BenchCase, Contender, RoundContext } from '../../bench-case.js'
import { freePort, listening, start, withProcesses } from '../../running.js'
import type { Work } from './bootstrap.js'
import { startEcho } from './check-http1.js'
import { CONNECTIONS, contender, type Harness, http1 } from './harness.js'
import { heddle } from './proxies.js'
import { benchToken } from './token.js'

const headers = (): Readonly<Record<string, string>> => ({ authorization: benchToken().authorization })

/** What Istio's labels cost: ours against ourselves without them, since stock Envoy has no istio.stats. */
export function labelsCase(): BenchCase {
  const harness: Harness = { ...http1(headers()), judged: 'cpu' }
  const without: Work = { protocol: 'HTTP1', chain: true, ...SERVICE }
  const labelled: Work = { ...without, filters: [ISTIO_STATS] }
  const ours = contender(harness, 'heddle proxy', heddle(labelled))
  return {
    bench: 'http1-labels',
    name: `the chain of http1-chain with all Istio labels (istio.stats), ${CONNECTIONS} connections, 1 KiB`,
    unit: 'requests/CPU s',
    better: 'higher',
    ours: { ...ours, check: (context) => checkLabels(ours, labelled, context) },
    // 15 % more of the processor's time is 1 / 1.15 of the requests.
    peers: [contender(harness, 'heddle proxy without istio.stats', heddle(without), { must: 1 / 1.15, after: 1 / 1.08 })],
  }
}

const ISTIO_STATS = { name: 'istio.stats', typed_config: { '@type': 'type.googleapis.com/stats.PluginConfig' } }

/** What the labels are made from. */
const SERVICE = {
  node: {
    id: 'sidecar~10.0.0.1~app-1.bench~bench.svc.cluster.local',
    cluster: 'app.bench',
    metadata: {
      WORKLOAD_NAME: 'app-v1',
      NAMESPACE: 'bench',
      CLUSTER_ID: 'Kubernetes',
      LABELS: {
        app: 'app',
        version: 'v1',
        'service.istio.io/canonical-name': 'app',
        'service.istio.io/canonical-revision': 'v1',
      },
    },
  },
  metadata: {
    filter_metadata: { istio: { services: [{ host: 'app.bench.svc.cluster.local', name: 'app', namespace: 'bench' }] } },
  },
} as const

/** As the others do the work, and a request is counted once, with these labels. */
async function checkLabels(ours: Contender, work: Work, context: RoundContext): Promise<void> {
  await ours.check(context)
  const echo = await startEcho()
  try {
    await withProcesses(async (keep) => {
      const [port, admin] = [await freePort(), await freePort()]
      const command = await heddle({ ...work, admin }).command(context, port, echo.port)
      await listening(port, keep(start(context.placement, 'subject', command)))
      await (await fetch(`http://127.0.0.1:${port}/`, { headers: headers() })).arrayBuffer()
      const stats = await (await fetch(`http://127.0.0.1:${admin}/stats/prometheus`)).text()
      const [line = 'none', ...more] = stats.split('\n').filter((each) => each.startsWith('istio_requests_total{'))
      const wanted = ['source_workload="app-v1"', 'destination_service="app.bench.svc.cluster.local"', 'response_code="200"']
      if (more.length > 0 || !line.endsWith(' 1') || !wanted.every((label) => line.includes(label)))
        throw new Error(`one request is counted as ${[line, ...more].join(', ')}`)
    })
  } finally {
    echo.close()
  }
}
