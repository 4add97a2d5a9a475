import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createNamespacePair, whyNoNamespaces } from './namespaces.js'

/** Real redirection, in network namespaces of the test's own. */

const missing = whyNoNamespaces()
if (missing !== undefined) {
  if (process.env['HEDDLE_INTEROP'] === '1') throw new Error(`the tests of original destinations cannot run: ${missing}`)
  console.log(`skipped: ${missing}`)
}

/** 10.95/16 and fd95::/64 go to the proxy, 96 by REDIRECT, 97 by TPROXY, 98 by an nft map. */
const RULES = `
  iptables -t nat -A PREROUTING -p tcp -d 10.95.0.0/16 -j REDIRECT --to-ports 15008
  iptables -t nat -A PREROUTING -p tcp -d 10.96.0.0/16 -j REDIRECT --to-ports 15001
  iptables -t nat -A OUTPUT -p tcp -d 10.94.0.0/16 -j REDIRECT --to-ports 15001
  ip6tables -t nat -A PREROUTING -p tcp -d fd95::/64 -j REDIRECT --to-ports 15008
  ip6tables -t nat -A PREROUTING -p tcp -d fd96::/64 -j REDIRECT --to-ports 15001
  iptables -t mangle -A PREROUTING -p tcp -d 10.97.0.0/16 -j TPROXY --on-port 15007 --tproxy-mark 1
  ip6tables -t mangle -A PREROUTING -p tcp -d fd97::/64 -j TPROXY --on-port 15007 --tproxy-mark 1
  iptables -t mangle -A PREROUTING -i eth0 -p tcp -d 10.93.0.0/16 -j TPROXY --on-port 15009 --tproxy-mark 1
  ip6tables -t mangle -A PREROUTING -i eth0 -p tcp -d fd93::/64 -j TPROXY --on-port 15009 --tproxy-mark 1
  for t in iptables ip6tables; do $t -t mangle -A PREROUTING -m mark --mark 1337 -j CONNMARK --save-mark; done
  for t in iptables ip6tables; do $t -t mangle -A OUTPUT -m connmark --mark 1337 -j CONNMARK --restore-mark; done
  ip addr add 10.93.0.77/32 dev lo
  ip -6 addr add fd93::77/128 dev lo nodad
  ip rule add fwmark 1 lookup 100
  ip rule add fwmark 1337 lookup 100
  ip -6 rule add fwmark 1337 lookup 100
  ip route add local 0.0.0.0/0 dev lo table 100
  ip -6 rule add fwmark 1 lookup 100
  ip -6 route add local ::/0 dev lo table 100
  ip route add 10.94.0.0/16 dev eth0
  ip addr add 10.95.0.99/32 dev lo
  ip addr add 10.95.0.77/32 dev lo
  ip -6 addr add fd95::77/128 dev lo nodad
  for i in 1 2 3; do ip addr add 10.88.0.$i/32 dev lo; done
  nft add table ip heddle
  nft add map ip heddle vips '{ type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 10.98.0.1 . 80 : 10.88.0.1 . 15101, 10.98.0.2 . 80 : 10.88.0.2 . 15101, 10.98.0.2 . 81 : 10.88.0.3 . 15101 }; }'
  nft add chain ip heddle pre '{ type nat hook prerouting priority -110; }'
  nft add rule ip heddle pre dnat ip to ip daddr . tcp dport map @vips`

const MAP = {
  '10.88.0.1:15101': { address: '10.98.0.1', port: 80 },
  '10.88.0.2:15101': { address: '10.98.0.2', port: 80 },
  '10.88.0.3:15101': { address: '10.98.0.2', port: 81 },
}

/** `count` addresses, and what a provider must answer each with. */
function many(count: number, address: (high: number, low: number) => string): Record<string, string> {
  const expected: Record<string, string> = {}
  for (let i = 1; i <= count; i++) {
    const host = address(i >> 8, i & 255)
    expected[`${host} 80`] = host.includes(':') ? `[${host}]:80` : `${host}:80`
  }
  return expected
}

describe.skipIf(missing !== undefined)('original destinations', () => {
  const pair = missing === undefined ? createNamespacePair() : undefined

  beforeAll(async () => {
    pair?.pod.run(RULES)
    const apps = ['10.95.0.99', '10.95.0.77', 'fd95::77', '10.93.0.77', 'fd93::77'].map((address) => ({ address, port: 80 }))
    await pair?.pod.start('original-dst-server.ts', { map: MAP, apps }).next()
  }, 120_000)
  afterAll(() => pair?.remove())

  const ask = async (from: 'client' | 'pod', targets: readonly string[]): Promise<Record<string, string>> =>
    (await pair?.[from].start('original-dst-client.ts', targets).next<Record<string, string>>()) ?? {}

  const hex = (n: number): string => n.toString(16)
  it.each<[string, 'client' | 'pod', Record<string, string>]>([
    ['the kernel, by REDIRECT, for 2,000 IPv4 addresses', 'client', many(2000, (high, low) => `10.96.${high}.${low}`)],
    ['the kernel, for calls of the pod itself', 'pod', many(50, (high, low) => `10.94.${high}.${low}`)],
    ['the kernel, for IPv6', 'client', many(250, (_, low) => `fd96::${hex(low)}:1`)],
    ['the local address under TPROXY', 'client', many(250, (high, low) => `10.97.${high}.${low}`)],
    ['the local address under TPROXY, for IPv6', 'client', many(250, (_, low) => `fd97::${hex(low)}:1`)],
    [
      'a map, for addresses and ports that nftables rewrites',
      'client',
      { '10.98.0.1 80': '10.98.0.1:80', '10.98.0.2 80': '10.98.0.2:80', '10.98.0.2 81': '10.98.0.2:81' },
    ],
    [
      'nobody, for direct hits of the listening ports',
      'client',
      Object.fromEntries(
        ['15001', '15007', '15101'].flatMap((port) => [
          [`10.77.0.2 ${port}`, 'direct'],
          [`fd77::2 ${port}`, 'direct'],
        ]),
      ),
    ],
  ])('are told by %s', async (_, from, expected) => {
    expect(await ask(from, Object.keys(expected))).toEqual(expected)
  })

  it('lead a proxy to the listener that claims them, or to where the client meant to go', async () => {
    expect(await ask('client', ['10.95.0.10 80', '10.95.0.77 80', 'fd95::77 80'])).toEqual({
      '10.95.0.10 80': 'app 10.95.0.99:80 called by 10.95.0.99',
      '10.95.0.77 80': 'app 10.95.0.77:80 called by 10.95.0.77',
      'fd95::77 80': 'app fd95::77:80 called by fd95::77',
    })
  })

  it('are nowhere for a direct hit of the proxy, which is refused rather than passed on to itself', async () => {
    const answers = await ask('client', ['10.77.0.2 15008', 'fd77::2 15008'])
    // Closed before or after its hello was read.
    expect(Object.values(answers).filter((answer) => answer !== '' && answer !== 'ECONNRESET')).toEqual([])
  })

  it('and the app sees who called, where a transparent listener keeps the source', async () => {
    expect(await ask('client', ['10.93.0.77 80', 'fd93::77 80'])).toEqual({
      '10.93.0.77 80': 'app 10.93.0.77:80 called by 10.77.0.1',
      'fd93::77 80': 'app fd93::77:80 called by fd77::1',
    })
  })
})
