import { KIND_NAMES, type KindName, type Store } from '@heddle/config-model'
import { type Clock, createDebounce, type MetricsRegistry, type Unsubscribe } from '@heddle/runtime'

/** How changes gather before proxies hear of them. */
export interface PushDebounce {
  /** PILOT_DEBOUNCE_AFTER: silence that ends a batch; milliseconds, default 100. */
  readonly afterMs?: number
  /** PILOT_DEBOUNCE_MAX: the longest that a change waits; milliseconds, default 10,000. */
  readonly maxMs?: number
  /** PILOT_ENABLE_EDS_DEBOUNCE, default true. False: where only endpoints have changed, proxies hear of it at once. */
  readonly endpoints?: boolean
}

export interface PushDebounceOptions extends PushDebounce {
  readonly store: Store
  readonly clock: Clock
  /** Makes what the store holds now the proxies' configuration. */
  readonly push: () => void
  readonly metrics?: MetricsRegistry
}

/** What is about endpoints alone; what else follows from such an object (a new service, a first port) shows in other collections. */
const ENDPOINT_KINDS: ReadonlySet<KindName> = new Set(['Endpoints', 'EndpointSlice', 'Pod', 'WorkloadEntry'])

// Values of the label `type` in Istio's metrics.
type Trigger = 'config' | 'endpoint' | 'service'

/**
 * Follows a store and calls `push` when its changes are due. Endpoints overtake nothing: while another change waits they wait with it, since a push
 * is of everything.
 */
export function debouncePushes({ store, clock, push, metrics, ...debounce }: PushDebounceOptions): Unsubscribe {
  const { afterMs = 100, maxMs = 10_000, endpoints = true } = debounce
  const record = metrics === undefined ? undefined : recordPushes(metrics)
  const changed = new Set<Trigger>()
  let since = 0
  const waiting = createDebounce<Trigger>({
    ...{ clock, quietMs: afterMs, maxMs },
    run(triggers) {
      record?.(triggers, (clock.monotonic() - since) / 1_000)
      push()
    },
  })
  const stops = followKinds(store, changed)
  stops.push(
    store.subscribe(() => {
      const trigger = triggerOf(changed)
      changed.clear()
      if (waiting.pending === 0) since = clock.monotonic()
      const alone = waiting.pending === 0
      waiting.push(trigger)
      if (alone && trigger === 'endpoint' && !endpoints) waiting.flush()
    }),
  )
  return () => {
    for (const stop of stops) stop()
    waiting.dispose()
  }
}

/** Enters what of the store changes, before its subscribers hear that something has. */
function followKinds({ collections }: Store, changed: Set<Trigger>): Unsubscribe[] {
  const enter = (trigger: Trigger) => () => void changed.add(trigger)
  return [
    ...KIND_NAMES.map((kind) => collections.of(kind).subscribe(enter(ENDPOINT_KINDS.has(kind) ? 'endpoint' : 'config'))),
    collections.services.subscribe(enter('service')),
    collections.meshConfig.subscribe(enter('config')),
  ]
}

function triggerOf(changed: ReadonlySet<Trigger>): Trigger {
  if (changed.has('service')) return 'service'
  return changed.has('config') || changed.size === 0 ? 'config' : 'endpoint'
}

/** Istio's names and buckets. */
function recordPushes(metrics: MetricsRegistry): (triggers: readonly Trigger[], waitedSeconds: number) => void {
  const updates = metrics.counter('pilot_inbound_updates', 'Total number of updates received by pilot.', ['type'])
  const reasons = metrics.counter(
    'pilot_push_triggers',
    'Total number of times a push was triggered, labeled by reason for the push.',
    ['type'],
  )
  const waited = metrics
    .histogram(
      'pilot_debounce_time',
      'Delay in seconds between the first config enters debouncing and the merged push request is pushed into the push queue.',
      [],
      [0.01, 0.1, 1, 3, 5, 10, 20, 30],
    )
    .labels()
  const UPDATES: Readonly<Record<Trigger, string>> = { config: 'config', endpoint: 'eds', service: 'svc' }
  return (triggers, waitedSeconds) => {
    for (const trigger of triggers) updates.labels(UPDATES[trigger]).inc()
    for (const trigger of new Set(triggers)) reasons.labels(trigger).inc()
    waited.observe(waitedSeconds)
  }
}
