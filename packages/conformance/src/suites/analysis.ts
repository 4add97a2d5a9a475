import { type MeshConfig, type MeshNetworks, readMeshConfig, readMeshNetworks } from '@heddle/config-model'
import {
  ANALYZERS,
  type AnalysisMessage,
  type Analyzer,
  analyzeFiles,
  ISTIO_MESSAGES,
  type MessageType,
  OPTIONAL_ANALYZERS,
  OWN_MESSAGES,
} from '@heddle/config-model/analysis'
import { systemClock } from '@heddle/runtime'
import { each, type Suite, type Verdict } from '../suite.js'

interface Case {
  readonly id: string
  /** Istio's name of the analyzer; null where its source does not spell it in one piece. */
  readonly analyzer: string | null
  readonly inputs: Readonly<Record<string, string>>
  readonly meshConfigFile?: string
  readonly meshNetworksFile?: string
  readonly want: readonly Wanted[]
}

interface Wanted {
  readonly code: string
  readonly level: string
  readonly origin: string
}

/** Files and one analyzer -> a multiset of codes with level and object. */
export const analysis: Suite = {
  name: 'analysis',
  file: 'analysis.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

function judge({ analyzer, inputs, meshConfigFile, meshNetworksFile, want }: Case): Verdict {
  const { [meshConfigFile ?? '']: meshConfig, [meshNetworksFile ?? '']: networks, ...others } = inputs
  const files = Object.entries(others).map(([file, text]) => ({ file, text }))
  const found = analyzeFiles(files, {
    now: systemClock.now(),
    defaultNamespace: '',
    analyzers: analyzer === null ? unnamed(want) : named(analyzer),
    ...(meshConfig === undefined ? {} : { meshConfig: meshConfigOf(meshConfig) }),
    ...(networks === undefined ? {} : { meshNetworks: networksOf(networks) }),
  })
  // Who is not named may tell more than the case is about.
  const about = new Set(want.map(({ code }) => code))
  const told = analyzer === null && want.length > 0 ? found.filter(({ code }) => about.has(code)) : found.filter(isOf(analyzer))
  return difference(want.map(lineOf), told.map(lineOfMessage))
}

const ALL: readonly Analyzer[] = [...ANALYZERS, ...OPTIONAL_ANALYZERS]

function named(name: string): readonly Analyzer[] {
  const found = ALL.filter((one) => one.name === name || name.startsWith(`${one.name}.`))
  if (found.length === 0) throw new Error(`there is no analyzer ${name}`)
  return found
}

// Istio has a validation analyzer for each kind: `schema.ValidationAnalyzer.VirtualService`.
function isOf(name: string | null): (message: AnalysisMessage) => boolean {
  return ({ analyzer, subject = '' }) => {
    const kind = name?.startsWith(`${analyzer}.`) === true ? name.slice(analyzer.length + 1) : ''
    return kind === '' || subject.startsWith(`${kind} `)
  }
}

const UNNAMED: readonly string[] = ['deprecation.DeprecationAnalyzer', 'webhook.Analyzer']

// Those that tell one of the wanted codes; where nothing is wanted, those whose name Istio's source puts together.
function unnamed(want: readonly Wanted[]): readonly Analyzer[] {
  if (want.length === 0) return ALL.filter(({ name }) => UNNAMED.includes(name))
  const codes = new Set(want.map(({ code }) => code))
  const messages: Readonly<Record<string, MessageType>> = { ...ISTIO_MESSAGES, ...OWN_MESSAGES }
  return ALL.filter((analyzer) => analyzer.messages.some((name) => codes.has(messages[name]?.[1] ?? '')))
}

function meshConfigOf(text: string): MeshConfig {
  const result = readMeshConfig(text)
  if (!result.ok) throw new Error(`mesh config: ${result.diagnostics.map(({ message }) => message).join('; ')}`)
  return result.value
}

function networksOf(text: string): MeshNetworks {
  const result = readMeshNetworks(text)
  if (!result.ok) throw new Error(`mesh networks: ${result.diagnostics.map(({ message }) => message).join('; ')}`)
  return result.value
}

function lineOf({ code, level, origin }: Wanted): string {
  return `${code} ${level} ${origin}`
}

const LEVELS = { error: 'Error', warning: 'Warning', info: 'Info' } as const

function lineOfMessage({ code, severity, subject = '' }: AnalysisMessage): string {
  return `${code} ${LEVELS[severity]} ${subject}`
}

function difference(want: readonly string[], got: readonly string[]): Verdict {
  const left = [...got]
  const missing = want.filter((line) => {
    const at = left.indexOf(line)
    if (at >= 0) left.splice(at, 1)
    return at < 0
  })
  if (missing.length === 0 && left.length === 0) return undefined
  return `missing [${missing.join(', ')}], too many [${left.join(', ')}]`
}
