import { type CaptureConfig, type CaptureText, captureConfig, iptablesRules, nftablesRules } from '@heddle/injector'
import { each, type Suite, type Verdict } from '../suite.js'

interface Case {
  readonly id: string
  /** Istio's Config, by the names of Go. */
  readonly config: Readonly<Record<string, unknown>>
  readonly want: string
}

/** Flags of capture -> rules, byte for byte. What istio-iptables runs beside them to look at the state is no rule. */
const suite = (name: string, rulesOf: (config: CaptureConfig) => string): Suite => ({
  name,
  file: `${name}.json`,
  run: (data) =>
    each(
      data.json() as Case[],
      ({ id }) => id,
      (item) => judge(item, rulesOf),
    ),
})

export const captureIptables: Suite = suite('capture-iptables', (config) => {
  const { v4, v6 } = iptablesRules(config)
  return v4 + v6
})

export const captureNftables: Suite = suite('capture-nftables', nftablesRules)

function judge({ config, want }: Case, rulesOf: (config: CaptureConfig) => string): Verdict {
  const read = captureConfig(textOf(config))
  if (!read.ok) return read.diagnostics.map(({ message }) => message).join(' ')
  const got = rulesOf(read.value).trimEnd().split('\n')
  const lines = want.split('\n').filter((line) => line !== '' && !/^ip6?tables-save$/.test(line))
  const at = lines.findIndex((line, i) => line !== got[i])
  if (at >= 0) return `line ${at + 1}: want ${lines[at]}, got ${got[at] ?? 'nothing'}`
  return got.length > lines.length && lines.length > 0
    ? `line ${lines.length + 1}: want nothing, got ${got[lines.length]}`
    : undefined
}

// Not about rules.
const ELSEWHERE = new Set(['DryRun'])
const WORDS: Readonly<Record<string, string>> = {
  UID: 'Uid',
  GID: 'Gid',
  TProxy: 'Tproxy',
  IPv6: 'Ipv6',
  IPv4: 'Ipv4',
  DNS: 'Dns',
  IP: 'Ip',
}

function textOf(config: Case['config']): CaptureText {
  const fields = Object.entries(config).filter(([name]) => !ELSEWHERE.has(name))
  return Object.fromEntries(
    fields.map(([name, value]) => {
      const field = name.replace(/UID|GID|TProxy|IPv6|IPv4|DNS|IP/g, (word) => WORDS[word]!)
      return [field[0]!.toLowerCase() + field.slice(1), typeof value === 'boolean' ? value : String(value)]
    }),
  )
}
