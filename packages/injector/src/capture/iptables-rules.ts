/** One rule: `-A OUTPUT -j ISTIO_OUTPUT` of table nat. */
export interface Rule {
  readonly table: string
  readonly chain: string
  /** Where an inserted rule goes, from 1; undefined appends. */
  readonly position?: number
  readonly spec: string
}

/** Rules of both families, in order. */
export interface Rules {
  add(table: string, chain: string, spec: string): void
  addTo(v6: boolean, table: string, chain: string, spec: string): void
  insert(table: string, chain: string, position: number, spec: string): void
  insertInto(v6: boolean, table: string, chain: string, position: number, spec: string): void
  /** One rule for each family, where they differ in an address. */
  byFamily(v4: string, v6: string, rule: (address: string) => [table: string, chain: string, spec: string]): void
  list(v6: boolean): readonly Rule[]
  /** For iptables-restore: tables by name, chains before rules. */
  text(v6: boolean): string
}

const TARGETS = new Set('ACCEPT RETURN REDIRECT MARK CT DROP TPROXY CONNMARK'.split(' '))
const BUILT_IN = new Set('INPUT OUTPUT FORWARD PREROUTING POSTROUTING'.split(' '))

export function createRules(): Rules {
  const lists: Record<'v4' | 'v6', Rule[]> = { v4: [], v6: [] }
  const of = (v6: boolean): Rule[] => lists[v6 ? 'v6' : 'v4']
  const rules: Rules = {
    add(table, chain, spec) {
      for (const v6 of [false, true]) rules.addTo(v6, table, chain, spec)
    },
    addTo: (v6, table, chain, spec) => void of(v6).push({ table, chain, spec }),
    insert(table, chain, position, spec) {
      for (const v6 of [false, true]) rules.insertInto(v6, table, chain, position, spec)
    },
    insertInto: (v6, table, chain, position, spec) => void of(v6).push({ table, chain, position, spec }),
    byFamily(v4, v6, rule) {
      rules.addTo(false, ...rule(v4))
      rules.addTo(true, ...rule(v6))
    },
    list: of,
    text: (v6) => restoreText(of(v6)),
  }
  return rules
}

export function ruleLine({ chain, position, spec }: Rule): string {
  return position === undefined ? `-A ${chain} ${spec}` : `-I ${chain} ${position} ${spec}`
}

/** Our chains by table: those that have rules, then those that are only jumped to. */
export function chainsOf(rules: readonly Rule[]): Map<string, Set<string>> {
  const chains = new Map<string, Set<string>>()
  const note = (table: string, chain: string): void => {
    if (!chains.has(table)) chains.set(table, new Set())
    if (!BUILT_IN.has(chain)) chains.get(table)!.add(chain)
  }
  for (const { table, chain } of rules) note(table, chain)
  for (const { table, spec } of rules) {
    const target = /(?:^| )-j (\S+)$/.exec(spec)?.[1]
    if (target !== undefined && !TARGETS.has(target)) note(table, target)
  }
  return chains
}

export function isBuiltIn(chain: string): boolean {
  return BUILT_IN.has(chain)
}

function restoreText(rules: readonly Rule[]): string {
  const lines: string[] = []
  for (const [table, chains] of [...chainsOf(rules)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`* ${table}`, ...[...chains].map((chain) => `-N ${chain}`))
    lines.push(...rules.filter((rule) => rule.table === table).map(ruleLine), 'COMMIT')
  }
  return lines.map((line) => `${line}\n`).join('')
}
