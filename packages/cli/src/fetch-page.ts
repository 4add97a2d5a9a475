import { InputError } from './command.js'

const TIMEOUT_MS = 10_000

/** Text of an admin or debug page at `host:port` or a URL; undefined for 404. Pages that change something want POST. */
export async function fetchPage(address: string, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string | undefined> {
  const url = `${/^https?:/.test(address) ? address.replace(/\/+$/, '') : `http://${address}`}${path}`
  let response: Response
  try {
    response = await fetch(url, { method, signal: AbortSignal.timeout(TIMEOUT_MS) })
  } catch (error) {
    const cause = error instanceof Error ? ((error.cause as Error | undefined)?.message ?? error.message) : String(error)
    throw new InputError(
      `${url} does not answer: ${cause}. Is --address the HTTP address of a control plane, or the admin address of a proxy?`,
    )
  }
  const text = await response.text()
  if (response.status === 404) return undefined
  if (!response.ok) throw new InputError(`${url}: ${response.status} ${text.trim()}`)
  return text
}
