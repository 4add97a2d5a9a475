const LARGEST = 1024 * 1024

/** The body of a page that is served over HTTPS by somebody whose certificate proves the name: no redirects, 200 only, 1 MiB at most. */
export async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  // A bundle that anybody on the way can change lets them be anybody.
  if (!url.startsWith('https://')) throw new Error(`${url} is not https`)
  const response = await fetch(url, { signal, redirect: 'error' })
  if (response.status !== 200 || response.body === null) throw new Error(`${url} answers ${response.status}`)
  const decoder = new TextDecoder()
  let [text, size] = ['', 0]
  for await (const chunk of response.body) {
    size += (chunk as Uint8Array).length
    if (size > LARGEST) throw new Error(`${url} has more than ${LARGEST} bytes`)
    text += decoder.decode(chunk as Uint8Array, { stream: true })
  }
  return text + decoder.decode()
}
