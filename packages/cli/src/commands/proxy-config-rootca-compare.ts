import { existsSync } from 'node:fs'
import { type Command, EXIT, InputError, type Io, outputFlag, UsageError, wantsJson } from '../command.js'
import { readConfigDump } from '../config-dump/read.js'
import { type RootCertificate, rootCertificates } from '../config-dump/root-certificates.js'
import { fetchPage } from '../fetch-page.js'
import { readText } from '../files.js'
import { table } from '../table.js'

/** `istioctl proxy-config rootca-compare`. */
export const proxyConfigRootcaCompare: Command = {
  name: 'proxy-config rootca-compare',
  summary: 'whether two proxies trust a root certificate in common, without which mTLS between them fails',
  positionals: 'PROXY PROXY',
  flags: { output: outputFlag },
  async run(args, io) {
    const json = wantsJson(args)
    const [one, two, ...others] = args.positionals
    if (one === undefined || two === undefined || others.length > 0)
      throw new UsageError('two PROXYs are wanted: admin addresses host:port, or files with saved config dumps')
    const [roots, otherRoots] = [await rootsOf(one, io), await rootsOf(two, io)]
    const common = roots.filter(({ sha256 }) => otherRoots.some((other) => other.sha256 === sha256))
    const proxies = [
      { proxy: one, roots },
      { proxy: two, roots: otherRoots },
    ]
    if (json) io.out(`${JSON.stringify({ match: common.length > 0, proxies }, undefined, 2)}\n`)
    else {
      const rows = proxies.flatMap(({ proxy, roots: own }) => own.map((root) => rowOf(proxy, root)))
      io.out(table([['PROXY', 'ROOT', 'SERIAL NUMBER', 'NOT AFTER', 'SHA-256'], ...rows]))
      io.out(common.length > 0 ? MATCH : NO_MATCH)
    }
    return common.length > 0 ? EXIT.ok : EXIT.findings
  },
}

const MATCH = '\nThey trust a root in common: mTLS between them can work.\n'
const NO_MATCH =
  '\nThey trust no root in common: mTLS between them fails. Give both control planes intermediate certificates of one root, or trust both roots.\n'

function rowOf(proxy: string, { subject, serial, notAfter, sha256 }: RootCertificate): string[] {
  return [proxy, subject.replaceAll('\n', ', '), serial, notAfter, sha256.replaceAll(':', '').slice(0, 16).toLowerCase()]
}

/** A control plane does not know: agents give proxies their roots. */
async function rootsOf(proxy: string, io: Io): Promise<readonly RootCertificate[]> {
  const isAddress = /^https?:|:\d+$/.test(proxy) && !existsSync(proxy)
  const dump = isAddress ? await fetchPage(proxy, '/config_dump') : await readText(proxy, io)
  if (dump === undefined) throw new InputError(`${proxy} has no /config_dump: an admin address of a proxy is wanted`)
  return rootCertificates(readConfigDump(dump, proxy).secrets, proxy)
}
