export const NAT = 'istio-proxy-nat'
export const MANGLE = 'istio-proxy-mangle'
export const RAW = 'istio-proxy-raw'

/** Our tables, and the chains of each in the order in which they are made: hooks first. */
const CHAINS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [NAT]: {
    prerouting: 'nat hook prerouting priority -100',
    output: 'nat hook output priority -100',
    'istio-inbound': '',
    'istio-redirect': '',
    'istio-in-redirect': '',
    'istio-output': '',
    'istio-output-dns': '',
  },
  [MANGLE]: {
    prerouting: 'filter hook prerouting priority -150',
    output: 'route hook output priority -150',
    'istio-divert': '',
    'istio-tproxy': '',
    'istio-inbound': '',
    'istio-drop': '',
  },
  [RAW]: {
    prerouting: 'filter hook prerouting priority -300',
    output: 'filter hook output priority -300',
    'istio-inbound': '',
    'istio-output-dns': '',
  },
}

export const TABLES: readonly string[] = Object.keys(CHAINS)

/** Rules of our tables, in order. */
export interface Tables {
  add(table: string, chain: string, rule: string): void
  /** `index` counts from 0; in a chain that is not that long the rule is appended, since nft refuses an index there. */
  insert(table: string, chain: string, index: number, rule: string): void
  /** For `nft -f`: tables and chains that have rules. */
  text(): string
}

export function createTables(): Tables {
  const rules = new Map<string, { chain: string; line: string }[]>()
  const of = (table: string): { chain: string; line: string }[] => {
    if (!rules.has(table)) rules.set(table, [])
    return rules.get(table)!
  }
  const add: Tables['add'] = (table, chain, rule) =>
    void of(table).push({ chain, line: `add rule inet ${table} ${chain} ${rule}` })
  return {
    add,
    insert(table, chain, index, rule) {
      if (index >= of(table).filter((other) => other.chain === chain).length) add(table, chain, rule)
      else of(table).push({ chain, line: `insert rule inet ${table} ${chain} index ${index} ${rule}` })
    },
    text: () =>
      TABLES.filter((table) => rules.has(table))
        .flatMap((table) => {
          const lines = of(table)
          const used = Object.entries(CHAINS[table]!).filter(([name]) => lines.some(({ chain }) => chain === name))
          return [
            `add table inet ${table}`,
            `flush table inet ${table}`,
            ...used.map(([name, hook]) => `add chain inet ${table} ${name}${hook === '' ? '' : ` { type ${hook} ; }`}`),
            ...lines.map(({ line }) => line),
          ]
        })
        .map((line) => `${line}\n`)
        .join(''),
  }
}
