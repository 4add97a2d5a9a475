import { describe, expect, test } from 'vitest'
import { applyCapture, type CommandResult, cleanCapture } from './apply.js'
import { type CaptureText, captureConfig } from './config.js'
import { iptablesRules } from './iptables.js'
import { nftablesRules } from './nftables.js'

const read = (text: CaptureText = {}) => {
  const result = captureConfig(text)
  if (!result.ok) throw new Error(result.diagnostics.map(({ message }) => message).join(' '))
  return result.value
}

describe('what flags say', () => {
  test.each<[CaptureText, string]>([
    [{ inboundPortsInclude: '80,99999' }, 'inboundPortsInclude: "99999" is no port (0 to 65535).'],
    [{ proxyPort: '15001 -j ACCEPT' }, 'proxyPort: "15001 -j ACCEPT" is no port (0 to 65535).'],
    [{ proxyUid: '1337\n-A OUTPUT' }, 'proxyUid: "1337\\n-A OUTPUT" is no user.'],
    [{ excludeInterfaces: 'eth0; reboot' }, 'excludeInterfaces: "eth0; reboot" is no interface.'],
    [
      { outboundIpRangesInclude: '10.0.0.0/8,10.1.2.3' },
      'outboundIpRangesInclude: "10.1.2.3" is no CIDR like 10.0.0.0/8 or 2001:db8::/32.',
    ],
    [{ outboundIpRangesExclude: '*' }, 'outboundIpRangesExclude: "*" is no CIDR like 10.0.0.0/8 or 2001:db8::/32.'],
    [{ inboundInterceptionMode: 'tproxy' }, 'inboundInterceptionMode: it is REDIRECT or TPROXY.'],
    [{ dnsServersV4: '::1' }, 'dnsServersV4: "::1" is no IPv4 address.'],
    [{ hostIpv4LoopbackCidr: '10.0.0.0/8' }, 'hostIpv4LoopbackCidr: "10.0.0.0/8" is no CIDR in 127.0.0.0/8.'],
    [{ ownerGroupsInclude: 'a', ownerGroupsExclude: 'b' }, 'Owner groups are either included or excluded, not both.'],
  ])('%j is refused', (text, message) => {
    const result = captureConfig(text)
    expect(result.ok).toBe(false)
    expect(result.diagnostics.map((diagnostic) => diagnostic.message)).toEqual([message])
  })

  test.each(['2001:db8::/32', '::127.0.0.53/128', '::/0', '1:2:3:4:5:6:7:8/64', 'FD00::1/64'])('%s is a range', (range) =>
    expect(read({ outboundIpRangesInclude: range }).outboundIpRangesInclude).toEqual([range.toLowerCase()]),
  )
})

describe('rules', () => {
  test('an excluded port leaves before everything else, TCP and UDP', () => {
    const { v4 } = iptablesRules(read({ outboundPortsExclude: '25', outboundIpRangesInclude: '*' }))
    const output = v4.split('\n').filter((line) => line.startsWith('-A ISTIO_OUTPUT '))
    expect(output.slice(0, 2)).toEqual([
      '-A ISTIO_OUTPUT -p tcp --dport 25 -j RETURN',
      '-A ISTIO_OUTPUT -p udp --dport 25 -j RETURN',
    ])
    expect(output.at(-1)).toBe('-A ISTIO_OUTPUT -j ISTIO_REDIRECT')
  })

  test('without IPv6 there are no rules for it', () => {
    expect(iptablesRules(read()).v6).toBe('')
    expect(nftablesRules(read())).not.toContain('ip6')
  })

  test('all of DNS', () => {
    const config = read({ redirectDns: true, captureAllDns: true })
    expect(iptablesRules(config).v4).toContain('-A ISTIO_OUTPUT_DNS -p udp --dport 53 -j CT --zone 2\n')
    expect(nftablesRules(config)).toContain('istio-output-dns meta l4proto tcp tcp dport 53 counter redirect to :15053\n')
  })
})

/** A machine that has the rules `saved` and remembers what is done to it. */
function machine(saved: string, missing: readonly string[] = []) {
  const done: string[] = []
  const run = async (command: string, args: readonly string[], input = ''): Promise<CommandResult> => {
    if (missing.includes(command)) return { code: 127, stdout: '', stderr: 'ENOENT' }
    if (command === 'iptables-save') return { code: 0, stdout: saved, stderr: '' }
    if (args.includes('-C') || args.includes('show') || command.endsWith('-save')) return { code: 0, stdout: '', stderr: '' }
    done.push(`${command}\n${input}`)
    return { code: 0, stdout: '', stderr: '' }
  }
  return { run, done }
}

const SAVED = `*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:ISTIO_OUTPUT - [0:0]
:ISTIO_OUTPUT_DNS - [0:0]
:ISTIO_PRERT - [0:0]
:MINE - [0:0]
-A OUTPUT -j MINE
-A OUTPUT -j ISTIO_OUTPUT
-A OUTPUT -j ISTIO_PRERT
-A ISTIO_OUTPUT -j ISTIO_OUTPUT_DNS
COMMIT
`

describe('applying', () => {
  test('older rules of ours go in the same step, others’ stay', async () => {
    const { run, done } = machine(SAVED)
    expect(await applyCapture(read(), { run })).toMatchObject({ ok: true, value: 'applied' })
    expect(done).toHaveLength(1)
    expect(done[0]).toContain('-D OUTPUT -j ISTIO_OUTPUT\n-X ISTIO_OUTPUT_DNS\n')
    expect(done[0]).not.toMatch(/MINE|ISTIO_PRERT/)
  })

  test('what is there already is left alone', async () => {
    const applied = iptablesRules(read())
      .v4.replaceAll(/^-N (.*)$/gm, ':$1 - [0:0]')
      .replace('* nat\n', '*nat\n:OUTPUT ACCEPT [0:0]\n')
    const { run, done } = machine(applied)
    expect(await applyCapture(read(), { run })).toMatchObject({ value: 'unchanged' })
    expect(done).toEqual([])
    expect(await applyCapture(read(), { run, force: true })).toMatchObject({ value: 'applied' })
  })

  test('cleaning names only what is ours', async () => {
    const { run, done } = machine(SAVED)
    expect(await cleanCapture(read(), { run })).toMatchObject({ value: 'cleaned' })
    expect(done).toEqual([
      'iptables-restore\n*nat\n:ISTIO_OUTPUT - [0:0]\n:ISTIO_OUTPUT_DNS - [0:0]\n-D OUTPUT -j ISTIO_OUTPUT\n-X ISTIO_OUTPUT\n-X ISTIO_OUTPUT_DNS\nCOMMIT\n',
    ])
  })

  test('a missing tool is named', async () => {
    const { run } = machine('', ['nft'])
    const result = await applyCapture(read(), { run, backend: 'nftables' })
    expect(result.diagnostics[0]?.message).toContain('There is no nft here')
  })
})
