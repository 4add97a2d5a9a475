import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTokenIssuer } from '@heddle/ca'
import { systemClock } from '@heddle/runtime'
import { type DrillApp, startDrillApp } from './drill-app.js'
import { ADDRESSES, drillMesh } from './drill-mesh.js'
import { eventually } from './eventually.js'
import { heddleWords } from './heddle-command.js'
import { connect, createNamespace, type NetworkNamespace } from './namespace.js'

export interface DrillProxy {
  readonly name: string
  /** An Envoy; undefined is ours. */
  readonly envoy?: string
}

export interface DrillOptions {
  readonly proxy: DrillProxy
  readonly family: 'v4' | 'v6'
  /** How b's inbound traffic is captured; default REDIRECT. */
  readonly mode?: 'REDIRECT' | 'TPROXY'
}

export interface Drill {
  readonly middle: NetworkNamespace
  readonly a: Pod
  readonly b: Pod
  /** Outside the mesh. */
  readonly outside: DrillApp
  remove(): Promise<void>
}

export interface Pod {
  readonly namespace: NetworkNamespace
  readonly app: DrillApp
  /** Of the proxy: resolves when it does nothing any more. */
  pause(): Promise<void>
  resume(): void
  readonly log: string
}

const WORDS = heddleWords()
const AUDIENCE = 'istio-ca'
const ISSUER = 'https://drill.test'

/** Builds everything and waits until both pods are ready. */
export async function createDrill(options: DrillOptions): Promise<Drill> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-drill-'))
  chmodSync(folder, 0o755)
  const names = (['middle', 'a', 'b'] as const).map((label) => createNamespace(label))
  const [middle, a, b] = names as [NetworkNamespace, NetworkNamespace, NetworkNamespace]
  const remove = async (): Promise<void> => {
    for (const one of names) one.remove()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    wire(middle, a, b)
    const issuer = await createTokenIssuer({ clock: systemClock, issuer: ISSUER, audience: AUDIENCE })
    writeFileSync(join(folder, 'jwks.json'), JSON.stringify(issuer.jwks))
    mkdirSync(join(folder, 'config'))
    writeFileSync(join(folder, 'config', 'mesh.yaml'), drillMesh(options.family))
    await startControlPlane(middle, folder)
    const outside = await startDrillApp(middle, ['http:7080', 'tcp:7000', 'tcp:7001', 'tcp:7002', 'udp:7053'])
    const token = (name: string): Promise<string> => issuer.issue({ namespace: 'shop', serviceAccount: name })
    const podA = await startPod(a, 'a', folder, options, await token('a'))
    const podB = await startPod(b, 'b', folder, options, await token('b'))
    return { middle, a: podA, b: podB, outside, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

function wire(middle: NetworkNamespace, a: NetworkNamespace, b: NetworkNamespace): void {
  for (const [n, pod] of [
    [1, a],
    [2, b],
  ] as const) {
    connect(middle, pod, [
      { device: `pod${n}`, v4: `10.77.${n}.1/24`, v6: `fd77:${n}::1/64` },
      { device: 'eth0', v4: `10.77.${n}.2/24`, v6: `fd77:${n}::2/64` },
    ])
    pod.run('ip', 'route', 'add', 'default', 'via', `10.77.${n}.1`)
    pod.run('ip', '-6', 'route', 'add', 'default', 'via', `fd77:${n}::1`)
  }
  b.run('ip', 'addr', 'add', `${ADDRESSES.second.v4}/24`, 'dev', 'eth0')
  b.run('ip', 'addr', 'add', `${ADDRESSES.second.v6}/64`, 'dev', 'eth0', 'nodad')
  for (const setting of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'])
    middle.run('sh', '-c', `echo 1 > /proc/sys/net/${setting}`)
  // The whole outside is this machine: each address of these ranges.
  for (const range of ['10.200.0.0/16', '10.201.0.0/16']) middle.run('ip', 'route', 'add', 'local', range, 'dev', 'lo')
  for (const range of ['fd20::/64', 'fd21::/64']) middle.run('ip', '-6', 'route', 'add', 'local', range, 'dev', 'lo')
}

async function startControlPlane(middle: NetworkNamespace, folder: string): Promise<void> {
  const ready = join(folder, 'ready.json')
  const [node = '', ...words] = WORDS
  const child = middle.start(node, [
    ...words,
    'control-plane',
    ...['--config', join(folder, 'config'), '--ready-file', ready, '--ca-dir', join(folder, 'ca')],
    ...['--grpc-addr', '127.0.0.1:15010', '--secure-grpc-addr', '[::]:15012', '--http-addr', '127.0.0.1:0'],
    ...['--jwks', join(folder, 'jwks.json'), '--token-issuer', ISSUER, '--token-audience', AUDIENCE],
  ])
  let log = ''
  child.stderr?.on('data', (bytes) => (log += String(bytes)))
  await eventually(
    () => exists(ready) || (child.exitCode !== null ? log : false),
    (state) => state !== false,
  )
  if (!exists(ready)) throw new Error(`no control plane: ${log}`)
}

function exists(file: string): boolean {
  try {
    readFileSync(file)
    return true
  } catch {
    return false
  }
}

async function startPod(
  namespace: NetworkNamespace,
  name: 'a' | 'b',
  folder: string,
  { proxy, family, mode = 'REDIRECT' }: DrillOptions,
  token: string,
): Promise<Pod> {
  const [node = '', ...words] = WORDS
  const home = join(folder, name)
  mkdirSync(home)
  execFileSync('chown', ['1337:1337', home])
  const tokenFile = join(folder, `${name}.token`)
  writeFileSync(tokenFile, token)
  const tproxy = name === 'b' && mode === 'TPROXY'
  namespace.run(
    node,
    ...words,
    ...['init', '-p', '15001', '-z', '15006', '-u', '1337', '-m', tproxy ? 'TPROXY' : 'REDIRECT', '-i', '*', '-b', '*'],
    ...['-d', '15090,15021,15020,8081', '-x', '10.201.0.0/16,fd21::/64', '-o', '7002', '--dual-stack'],
  )
  const app = await startDrillApp(namespace, name === 'a' ? [] : ['http:8080', 'http:8081', 'tcp:9000', 'udp:5353'])
  const control = family === 'v4' ? `10.77.${name === 'a' ? 1 : 2}.1:15012` : `[fd77:${name === 'a' ? 1 : 2}::1]:15012`
  const ips = [ADDRESSES[name][family], ...(name === 'b' ? [ADDRESSES.second[family]] : [])].join()
  // As the injected container: user 1337, or under TPROXY root of group 1337. It may read what is below a home of root's, where this checkout may lie.
  const user = tproxy
    ? ['--regid=1337', '--clear-groups']
    : ['--reuid=1337', '--regid=1337', '--clear-groups', '--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search']
  const child = namespace.start(
    'setpriv',
    [
      ...[...user, node, ...words],
      ...['agent', 'sidecar', '--configPath', home, '--discoveryAddress', control, '--discoveryName', 'istiod.istio-system.svc'],
      ...['--rootCert', join(folder, 'ca', 'root-cert.pem'), '--token', tokenFile, '--drainDuration', '2s'],
      ...(proxy.envoy === undefined ? [] : ['--binary-path', proxy.envoy, '--stock-envoy', '--concurrency', '1']),
    ],
    {
      env: {
        ...process.env,
        ...{ HOME: home, POD_NAME: name, POD_NAMESPACE: 'shop', SERVICE_ACCOUNT: name, INSTANCE_IP: ips },
        ISTIO_META_INTERCEPTION_MODE: tproxy ? 'TPROXY' : 'REDIRECT',
        ISTIO_METAJSON_LABELS: JSON.stringify({ app: name }),
      },
      detached: true,
    },
  )
  let log = ''
  let pid: number | undefined
  const note = (bytes: unknown): void => {
    log += String(bytes)
    // With what follows it: the number may come in two pieces.
    pid ??= Number(/"pid":(\d+)\D/.exec(log)?.[1]) || undefined
  }
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  const host = family === 'v4' ? '127.0.0.1' : '::1'
  try {
    await eventually(
      () => (child.exitCode === null ? app.call('http', { host, port: 15_021, path: '/healthz/ready' }) : { status: -1 }),
      ({ status }) => status === 200 || status === -1,
    )
    if (child.exitCode !== null) throw new Error('the agent has ended')
  } catch (error) {
    throw new Error(`${name}: ${error}\n${log.slice(-4_000)}`)
  }
  return {
    namespace,
    app,
    async pause() {
      process.kill(pid!, 'SIGSTOP')
      // Its threads stop one by one, as the machine finds time for them.
      await eventually(
        () => threadStates(pid!),
        (states) => states.every((state) => state === 'T'),
      )
    },
    resume: () => void process.kill(pid!, 'SIGCONT'),
    get log() {
      return log
    },
  }
}

/** What each thread of a process does, by the letters of proc(5). */
function threadStates(pid: number): string[] {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).map(
    (task) => / ([A-Z]) /.exec(readFileSync(join(tasks, task, 'stat'), 'utf8').replace(/^.*\)/, ')'))?.[1] ?? '',
  )
}
