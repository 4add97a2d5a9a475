import { type Page, text } from './page.js'

// What Envoy has of its own allocator, profiler and locks. A JavaScript process has none of them: each page answers as an Envoy
// that was built, or started, without.

export const contention: Page = {
  path: '/contention',
  help: 'dump current Envoy mutex contention stats (if enabled)',
  answer: () => text('Mutex contention tracing is not enabled. To enable, run Envoy with flag --enable-mutex-tracing.'),
}

export const cpuProfiler: Page = {
  path: '/cpuprofiler',
  help: 'enable/disable the CPU profiler',
  parameters: { enable: 'y or n' },
  mutates: true,
  answer(query) {
    const enable = query.size === 1 ? query.get('enable') : null
    if (enable !== 'y' && enable !== 'n') return text('?enable=<y|n>\n', 400)
    return enable === 'y' ? text('failure to start the profiler', 500) : text('OK\n')
  },
}

const without = (what: string, page: Omit<Page, 'answer'>): Page => ({
  ...page,
  answer: () => text(`The current build does not support ${what}`, 501),
})

export const heapProfiler: Page = without('heap profiler', {
  path: '/heapprofiler',
  help: 'enable/disable the heap profiler',
  mutates: true,
})
export const allocProfiler: Page = without('allocation profiler', {
  path: '/allocprofiler',
  help: 'enable/disable the allocation profiler (if supported)',
  mutates: true,
})
export const heapDump: Page = without('heap dump', { path: '/heap_dump', help: 'dump current Envoy heap (if supported)' })
export const peakHeapDump: Page = without('peak heap dump', {
  path: '/peak_heap_dump',
  help: 'dump peak Envoy heap (if supported)',
})
