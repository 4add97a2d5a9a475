import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Network namespaces that a test makes and removes. They need root, iproute2, iptables and nftables. */

/** Why there can be none here; undefined when there can. */
export function whyNoNamespaces(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
  if (process.getuid?.() !== 0) return 'making network namespaces needs root'
  const name = `heddle-try-${process.pid}`
  try {
    for (const tool of ['iptables', 'ip6tables', 'nft']) run('sh', '-c', `command -v ${tool}`)
    run('ip', 'netns', 'add', name)
  } catch (error) {
    return `network namespaces cannot be made here: ${(error as Error).message.split('\n').slice(0, 2).join(' ')}`
  }
  run('ip', 'netns', 'del', name)
  return undefined
}

export interface Namespace {
  readonly name: string
  /** Runs commands, one a line, and throws with what the first that fails says. */
  run(commands: string): void
  /** A script of this folder, run with tsx; its lines are JSON. */
  start(script: string, argument: unknown): Child
}

export interface Child {
  /** The next line. Rejects with what the child said on stderr when it ends before. */
  next<T>(): Promise<T>
  stop(): Promise<void>
}

/** Two hosts on one wire: a client at 10.77.0.1 and fd77::1, and a pod at 10.77.0.2 and fd77::2 that is the client's way to everywhere. */
export function createNamespacePair(): { client: Namespace; pod: Namespace; remove(): Promise<void> } {
  const children: Child[] = []
  const [client, pod] = ['client', 'pod'].map((role) => createNamespace(`heddle-${role}-${process.pid}`, children))
  if (client === undefined || pod === undefined) throw new Error('unreachable')
  run('ip', 'link', 'add', 'eth0', 'netns', client.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.name)
  for (const [index, { run: inside }] of [client, pod].entries())
    inside(`
      ip link set lo up
      ip addr add 10.77.0.${index + 1}/24 dev eth0
      ip addr add fd77::${index + 1}/64 dev eth0 nodad
      ip link set eth0 up`)
  client.run('ip route add default via 10.77.0.2\nip -6 route add default via fd77::2')
  return {
    client,
    pod,
    async remove() {
      for (const child of children) await child.stop()
      for (const { name } of [client, pod]) run('ip', 'netns', 'del', name)
    },
  }
}

function createNamespace(name: string, children: Child[]): Namespace {
  run('ip', 'netns', 'add', name)
  return {
    name,
    run(commands) {
      for (const command of commands.split('\n').map((line) => line.trim()))
        if (command !== '') run('ip', 'netns', 'exec', name, 'sh', '-c', command)
    },
    start(script, argument) {
      const file = fileURLToPath(new URL(script, import.meta.url))
      const node = [process.execPath, '--import', 'tsx', '-C', '@heddle/source', file, JSON.stringify(argument)]
      const child = createChild(spawn('ip', ['netns', 'exec', name, ...node], { stdio: ['ignore', 'pipe', 'pipe'] }))
      children.push(child)
      return child
    },
  }
}

function createChild(process: ChildProcess): Child {
  let said = ''
  process.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise<void>((resolve) => process.once('exit', () => resolve()))
  const lines = createInterface({ input: process.stdout! })[Symbol.asyncIterator]()
  return {
    async next<T>() {
      const line = await lines.next()
      if (line.done === true) throw new Error(`the child ended: ${said}`)
      return JSON.parse(line.value) as T
    },
    async stop() {
      process.kill('SIGKILL')
      await ended
    },
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
