import { type CaptureConfig, OUTBOUND_MARK } from './config.js'
import { chainsOf, isBuiltIn, type Rule, ruleLine } from './iptables-rules.js'

/** What `iptables-save` tells of one family: rules by table and chain, as the tool writes them. */
export type IptablesState = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>

// Chains of ours by any configuration; ISTIO_… chains of others (ztunnel's) are not among them.
const OUR_CHAINS = new Set(
  ['INBOUND', 'REDIRECT', 'IN_REDIRECT', 'OUTPUT', 'OUTPUT_DNS', 'DIVERT', 'TPROXY', 'DROP'].map((name) => `ISTIO_${name}`),
)

export function readState(saved: string): IptablesState {
  const tables = new Map<string, Map<string, string[]>>()
  let table = new Map<string, string[]>()
  for (const line of saved.split('\n')) {
    const [first = '', second = ''] = line.split(' ')
    if (first.startsWith('*')) tables.set(first.slice(1), (table = new Map()))
    else if (first.startsWith(':')) table.set(first.slice(1), [])
    else if (first === '-A') table.get(second)?.push(line)
  }
  return tables
}

/** Rules in the kernel's own chains that are ours: they jump into our chains, carry our marks, or are what `config` says of interfaces. */
function ownRules(state: IptablesState, table: string, config: CaptureConfig): string[] {
  const marks = [config.inboundTproxyMark, OUTBOUND_MARK].map((mark) => `0x${mark.toString(16)}`)
  const left = new Set([
    ...config.excludeInterfaces.flatMap((name) => [`-A PREROUTING -i ${name} -j RETURN`, `-A OUTPUT -o ${name} -j RETURN`]),
    ...config.rerouteVirtualInterfaces.map((name) => `-A PREROUTING -i ${name} -j RETURN`),
  ])
  const ours = (line: string): boolean =>
    OUR_CHAINS.has(/ -j (\S+)$/.exec(line)?.[1] ?? '') ||
    left.has(line) ||
    (table === 'mangle' && line.split(/[ /]/).some((word) => marks.includes(word)))
  return [...(state.get(table) ?? [])].filter(([chain]) => isBuiltIn(chain)).flatMap(([, lines]) => lines.filter(ours))
}

const ownChains = (state: IptablesState, table: string): string[] =>
  [...(state.get(table)?.keys() ?? [])].filter((chain) => OUR_CHAINS.has(chain))

/** Whether the kernel has as many of our rules and the same chains; whether it has these very rules, `iptables -C` tells. */
export function sameCount(state: IptablesState, rules: readonly Rule[], config: CaptureConfig): boolean {
  const wanted = chainsOf(rules)
  const tables = new Set([...wanted.keys(), ...state.keys()])
  return [...tables].every((table) => {
    const chains = ownChains(state, table)
    const there = ownRules(state, table, config).length + chains.reduce((n, chain) => n + state.get(table)!.get(chain)!.length, 0)
    const ours = wanted.get(table) ?? new Set<string>()
    return (
      chains.length === ours.size &&
      chains.every((chain) => ours.has(chain)) &&
      there === rules.filter((rule) => rule.table === table).length
    )
  })
}

/** Input of `iptables-restore --noflush` that makes the kernel have our `rules` and no older ones of ours; others' stay. No rules: a clean-up. */
export function replaceScript(state: IptablesState, rules: readonly Rule[], config: CaptureConfig): string {
  const wanted = chainsOf(rules)
  const lines: string[] = []
  for (const table of [...new Set([...state.keys(), ...wanted.keys()])].sort()) {
    const ours = [...(wanted.get(table) ?? [])]
    const old = ownChains(state, table)
    const removed = ownRules(state, table, config).map((line) => line.replace(/^-A/, '-D'))
    const added = rules.filter((rule) => rule.table === table).map(ruleLine)
    if (ours.length + old.length + removed.length + added.length === 0) continue
    // Naming a chain makes it, or empties it.
    const named = [...new Set([...old, ...ours])].map((chain) => `:${chain} - [0:0]`)
    const gone = old.filter((chain) => !ours.includes(chain)).map((chain) => `-X ${chain}`)
    lines.push(`*${table}`, ...named, ...removed, ...gone, ...added, 'COMMIT')
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** Arguments of `iptables` that ask whether a rule is there. */
export function checkArguments({ table, chain, spec }: Rule): string[] {
  return ['-w', '-t', table, '-C', chain, ...spec.split(' ')]
}
