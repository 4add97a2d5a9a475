import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process'

/** Whether this process may make network namespaces, and if not, why. HEDDLE_INTEROP says that it must. */
export function netnsProblem(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  try {
    execFileSync('ip', ['netns', 'add', `hdl-try-${process.pid}`], { stdio: 'pipe' })
    execFileSync('ip', ['netns', 'del', `hdl-try-${process.pid}`], { stdio: 'pipe' })
    for (const tool of ['iptables', 'nft', 'tcpdump']) execFileSync(tool, ['--version'], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A network namespace, as a pod has one. */
export interface NetworkNamespace {
  readonly name: string
  /** Runs a program to its end and gives what it printed; throws where it fails. */
  run(command: string, ...args: string[]): string
  /** Starts a program; ended with the namespace. */
  start(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess
  remove(): void
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has gone meanwhile.
  }
}

let count = 0

/** With loopback up. The name is this process's own, so that runs do not meet. */
export function createNamespace(label: string): NetworkNamespace {
  const name = `hdl-${process.pid}-${++count}-${label}`
  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' })
  const children = new Set<ChildProcess>()
  ip('netns', 'add', name)
  ip('-n', name, 'link', 'set', 'lo', 'up')
  return {
    name,
    run: (command, ...args) =>
      execFileSync('ip', ['netns', 'exec', name, command, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    start(command, args, options = {}) {
      const child = spawn('ip', ['netns', 'exec', name, command, ...args], { stdio: 'pipe', ...options })
      children.add(child)
      child.on('exit', () => children.delete(child))
      return child
    },
    remove() {
      // The programs, and what they have started.
      const pids = execFileSync('ip', ['netns', 'pids', name], { encoding: 'utf8' }).split('\n').filter(Boolean)
      for (const pid of pids) end(Number(pid))
      for (const child of children) child.kill('SIGKILL')
      ip('netns', 'del', name)
    },
  }
}

/** A cable between two namespaces, with an address of each family at either end. */
export function connect(a: NetworkNamespace, b: NetworkNamespace, ends: readonly [End, End]): void {
  const [left, right] = ends
  execFileSync('ip', ['link', 'add', left.device, 'netns', a.name, 'type', 'veth', 'peer', 'name', right.device, 'netns', b.name])
  const both = [
    [a, left],
    [b, right],
  ] as const
  // Both ends are up before they get addresses: a link that comes up later may cost IPv6 its routes.
  for (const [namespace, { device }] of both) namespace.run('ip', 'link', 'set', device, 'up')
  for (const [namespace, { device, v4, v6 }] of both) {
    namespace.run('ip', 'addr', 'add', v4, 'dev', device)
    namespace.run('ip', 'addr', 'add', v6, 'dev', device, 'nodad')
  }
}

export interface End {
  device: string
  /** With the length of the prefix: `10.77.0.1/24`. */
  v4: string
  v6: string
}
