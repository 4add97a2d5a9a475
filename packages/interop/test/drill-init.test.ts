import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { heddleWords } from '../src/heddle-command.js'
import { connect, createNamespace, type NetworkNamespace, netnsProblem } from '../src/namespace.js'

// `heddle init` on the kernel, in a namespace of the test's own.
const problem = netnsProblem()
const required = process.env['HEDDLE_INTEROP'] !== undefined
if (problem !== undefined) console.log(`skipped: no network namespaces here: ${problem}`)

const [NODE = '', ...WORDS] = heddleWords()
const OTHERS = ['-A OUTPUT -p tcp -m tcp --dport 9999 -j RETURN', '-A OUTPUT -j MINE']

describe.skipIf(problem !== undefined && !required)('heddle init', () => {
  let pod: NetworkNamespace
  let other: NetworkNamespace
  const init = (...flags: string[]): string => pod.run(NODE, ...WORDS, 'init', ...flags).trim()
  const rules = (): string[] =>
    ['iptables-save', 'ip6tables-save']
      .flatMap((save) => pod.run(save).split('\n'))
      .filter((line) => line.startsWith('-A') || line.startsWith(':ISTIO'))

  beforeAll(() => {
    pod = createNamespace('init')
    other = createNamespace('peer')
    const end = (n: number) => ({ device: 'eth0', v4: `10.77.9.${n}/24`, v6: `fd77:9::${n}/64` })
    connect(pod, other, [end(1), end(2)])
    for (const args of ['-N MINE', '-A OUTPUT -p tcp --dport 9999 -j RETURN', '-A OUTPUT -j MINE'])
      pod.run('iptables', '-t', 'nat', ...args.split(' '))
  })
  afterAll(() => {
    pod?.remove()
    other?.remove()
  })

  test.each([
    ['REDIRECT', ['-i', '*', '-b', '*', '-d', '15090,15021', '-x', '10.9.0.0/16,fd99::/16', '-o', '25', '-k', 'eth1']],
    [
      'TPROXY',
      ['-m', 'TPROXY', '-i', '10.0.0.0/8', '-b', '80,443', '-c', 'eth7', '--drop-invalid', '--redirect-dns', '--capture-all-dns'],
    ],
  ])('iptables, %s: twice is once, another configuration takes its place, --clean leaves what is others’', (_name, flags) => {
    expect(init(...flags, '--dual-stack')).toBe('applied')
    const once = rules()
    expect(once.filter((line) => line.startsWith('-A ISTIO_OUTPUT ')).length).toBeGreaterThan(12)
    expect(init(...flags, '--dual-stack')).toBe('unchanged')
    expect(rules()).toEqual(once)
    expect(init('-q', '80', '-c', 'eth7', '-k', 'eth1', '--dual-stack')).toBe('applied')
    expect(rules().filter((line) => / -j ISTIO_REDIRECT$/.test(line))).toEqual(
      Array(2).fill('-A ISTIO_OUTPUT -p tcp -m tcp --dport 80 -j ISTIO_REDIRECT'),
    )
    expect(init('--clean', '-c', 'eth7', '-k', 'eth1')).toBe('cleaned')
    expect(rules()).toEqual(OTHERS)
    expect(pod.run('ip', 'rule')).not.toContain('fwmark')
    expect(pod.run('ip', '-6', 'addr', 'show', 'dev', 'lo')).not.toContain('::6')
    expect(init('--clean')).toBe('cleaned')
  })

  test('nftables: the same', () => {
    const flags = [
      '-m',
      'TPROXY',
      '-i',
      '*',
      '-b',
      '*',
      '--redirect-dns',
      '--capture-all-dns',
      '--dual-stack',
      '--native-nftables',
    ]
    const tables = (): string => pod.run('nft', '-s', 'list', 'ruleset', 'inet')
    init(...flags)
    const once = tables()
    expect(once.match(/table inet istio-proxy-/g)).toHaveLength(3)
    init(...flags)
    expect(tables()).toBe(once)
    init('-b', '80', '--native-nftables')
    expect(tables().match(/table inet istio-proxy-/g)).toHaveLength(1)
    init('--clean', '--native-nftables')
    expect(tables()).toBe('')
    expect(rules()).toEqual(OTHERS)
  })

  test('--run-validation, as the proxy’s user: 126 where nothing is captured', () => {
    const caps = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
    const validate = (...flags: string[]): number => {
      const words = ['init', '--run-validation', '--skip-rule-apply', '--dual-stack', '--probe-timeout', '300ms', ...flags]
      try {
        pod.run('setpriv', '--reuid=1337', '--regid=1337', '--clear-groups', ...caps, NODE, ...WORDS, ...words)
        return 0
      } catch (error) {
        return (error as { status: number }).status
      }
    }
    expect(validate()).toBe(126)
    init('-u', '1337', '-i', '*', '-b', '*', '--dual-stack')
    expect(validate()).toBe(0)
    // IPv4 alone is not enough.
    pod.run('ip6tables', '-t', 'nat', '-F', 'OUTPUT')
    expect(validate()).toBe(126)
    init('--clean')
  })
})
