/** Where the app's own metrics are: the annotations prometheus.io/…, which the injector hands over as ISTIO_PROMETHEUS_ANNOTATIONS. */
export interface AppScrape {
  readonly port: number
  readonly path: string
}

/** What the variable says; undefined where the app is not to be scraped. */
export function appScrape(variable: string | undefined): AppScrape | undefined {
  if (variable === undefined) return undefined
  try {
    const { scrape, port, path } = JSON.parse(variable) as { scrape?: unknown; port?: unknown; path?: unknown }
    if (String(scrape) !== 'true') return undefined
    return { port: Number(port ?? 80) || 80, path: typeof path === 'string' && path !== '' ? path : '/metrics' }
  } catch {
    return undefined
  }
}

/** The agent's own, the proxy's and the app's metrics as one exposition; one that could not be read is left out. */
export function mergeMetrics(...expositions: readonly (string | undefined)[]): string {
  return expositions
    .filter((text) => text !== undefined && text !== '')
    .map((text) => text!.replace(/^# EOF\n?/gm, ''))
    .map((text) => (text.endsWith('\n') ? text : `${text}\n`))
    .join('')
}
