import { type Clock, formatDiagnostic, type Logger, silentLogger, type Unsubscribe } from '@heddle/runtime'
import type { ReplaceableAuthority } from './authority.js'
import { readPluggedInFolder } from './ca-folder.js'
import { openPluggedIn, type PluggedInFiles } from './plugged-in.js'

export interface PluggedInWatchOptions {
  /** Istio's `cacerts` folder; a mounted Secret changes all its files at once. */
  readonly folder: string
  /** What the authority was opened with. */
  readonly opened: PluggedInFiles
  /** Gets the new signer and roots. */
  readonly authority: Pick<ReplaceableAuthority, 'replace'>
  readonly clock: Clock
  readonly logger?: Logger
  /** How often the files are read, default 5 s. */
  readonly pollMs?: number
  /** Called after each change that was taken. */
  readonly changed?: () => void
}

/**
 * Follows a folder of CA files. What is incomplete or wrong, as a folder half way through a change is, leaves the authority as it is; it is
 * logged once, and read again.
 */
export function watchPluggedIn(options: PluggedInWatchOptions): { close(): void } {
  const { folder, authority, clock, logger = silentLogger, pollMs = 5000, changed } = options
  let seen = content(options.opened)
  let closed = false
  let cancel: Unsubscribe = () => {}
  const look = async (): Promise<void> => {
    const files = await readPluggedInFolder(folder).catch((error: unknown) => String(error))
    const now = typeof files === 'string' ? files : content(files)
    if (now !== seen && !closed) {
      seen = now
      await take(files)
    }
    if (!closed) cancel = clock.after(pollMs, () => void look())
  }
  const take = async (files: PluggedInFiles | string): Promise<void> => {
    if (typeof files === 'string')
      return logger.warn({ folder, reason: files }, 'the CA files cannot be read; the last ones stay')
    const opened = await openPluggedIn(files, clock.now())
    if (!opened.ok) {
      const reason = opened.diagnostics.map(formatDiagnostic).join('; ')
      return logger.warn({ folder, reason }, 'the CA files are refused; the last ones stay')
    }
    if (closed) return
    authority.replace(opened.value)
    logger.info({ folder, roots: opened.value.trustBundle.length }, 'the CA files have changed')
    changed?.()
  }
  void look()
  return {
    close() {
      closed = true
      cancel()
    },
  }
}

function content({ caCert, caKey, rootCert, certChain }: PluggedInFiles): string {
  return [caCert, caKey, rootCert, certChain].join('\0')
}
