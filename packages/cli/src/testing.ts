import type { Io } from './command.js'

/** An Io that keeps what was printed. */
export function createTestIo(input = ''): Io & { readonly stdout: string; readonly stderr: string } {
  const printed = { stdout: '', stderr: '' }
  return {
    get stdout() {
      return printed.stdout
    },
    get stderr() {
      return printed.stderr
    },
    out: (text) => {
      printed.stdout += text
    },
    err: (text) => {
      printed.stderr += text
    },
    stdin: () => Promise.resolve(input),
    env: {},
    colour: false,
    stopped: () => Promise.resolve(),
  }
}
