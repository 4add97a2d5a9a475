/**
 * istiod's feature switches: environment variables of the control plane that change what proxies get. Named, read and defaulted as istiod does;
 * variables that are not here change nothing.
 */
export interface PilotFeatures {
  /** PILOT_ENABLE_AMBIENT, default false: workloads without sidecars are in the mesh through L4 proxies and waypoints. */
  readonly ambient: boolean
  /** PILOT_ENABLE_SENDING_HBONE, default as `ambient`: proxies reach workloads of ambient mode through HBONE. */
  readonly sendHbone: boolean
  /** PILOT_PREFER_SENDING_HBONE, default false: through HBONE also where an endpoint takes mTLS of sidecars. */
  readonly preferHbone: boolean
  /** PILOT_ENABLE_SIDECAR_LISTENING_HBONE, default as `ambient`: a sidecar whose node metadata says ENABLE_HBONE takes HBONE. */
  readonly listenHbone: boolean
  /** AMBIENT_ENABLE_MULTI_NETWORK, default as `ambient`: waypoints reach other networks by a tunnel inside a tunnel. */
  readonly ambientMultiNetwork: boolean
  /** AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY, default false: policies of a dry run go to L4 proxies too. One before 1.29 would enforce them. */
  readonly ambientDryRun: boolean
  /** PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS, default false: with several providers of CUSTOM on a workload everything that they select is refused. */
  readonly multipleCustomProviders: boolean
  /** PILOT_TRACE_SAMPLING, default 1: per cent of requests that are traced where nobody says another. */
  readonly traceSampling: number
  /** PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY, default true: what a gateway calls is a span of its own. */
  readonly gatewayUpstreamSpan: boolean
  /** Any variable, for headers of tracing providers (`envName`); undefined: not set. */
  variable(name: string): string | undefined
}

const BOOLEANS: Readonly<Record<string, boolean>> = Object.fromEntries([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true]),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false]),
])

type Env = Readonly<Record<string, string | undefined>>

/** What an environment switches on. A value that is no boolean counts as absent, as in istiod. */
export function pilotFeatures(env: Env): PilotFeatures {
  const ambient = flag(env, 'PILOT_ENABLE_AMBIENT', false)
  return {
    ambient,
    sendHbone: ambient && flag(env, 'PILOT_ENABLE_SENDING_HBONE', true),
    preferHbone: ambient && flag(env, 'PILOT_PREFER_SENDING_HBONE', false),
    listenHbone: ambient && flag(env, 'PILOT_ENABLE_SIDECAR_LISTENING_HBONE', true),
    ambientMultiNetwork: ambient && flag(env, 'AMBIENT_ENABLE_MULTI_NETWORK', true),
    ambientDryRun: flag(env, 'AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY', false),
    multipleCustomProviders: flag(env, 'PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS', false),
    traceSampling: decimal(env, 'PILOT_TRACE_SAMPLING', 1),
    gatewayUpstreamSpan: flag(env, 'PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY', true),
    variable: (name) => env[name],
  }
}

export const DEFAULT_FEATURES: PilotFeatures = pilotFeatures({})

/** The spellings of Go's strconv.ParseBool; undefined for every other text. */
export function parseBool(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : BOOLEANS[text]
}

function flag(env: Env, name: string, fallback: boolean): boolean {
  return parseBool(env[name]) ?? fallback
}

function decimal(env: Env, name: string, fallback: number): number {
  const text = env[name]?.trim() ?? ''
  const value = Number(text)
  return text === '' || !Number.isFinite(value) ? fallback : value
}
