import { json, type Page, text } from './page.js'

export const ready: Page = {
  path: '/ready',
  help: 'print server state, return 200 if LIVE, otherwise return 503',
  answer: (_, views) => text(`${views.state}\n`, views.state === 'LIVE' ? 200 : 503),
}

export const serverInfo: Page = {
  path: '/server_info',
  help: 'print server version/status information',
  answer(_, views) {
    const uptime = `${Math.floor((views.now() - views.startedAt) / 1000)}s`
    return json({
      version: views.version,
      state: views.state,
      hot_restart_version: 'disabled',
      hot_restart_initializing: false,
      command_line_options: views.commandLineOptions,
      node: views.node,
      uptime_current_epoch: uptime,
      uptime_all_epochs: uptime,
    })
  },
}

export const hotRestartVersion: Page = {
  path: '/hot_restart_version',
  help: 'print the hot restart compatibility version',
  answer: () => text('disabled'),
}

/** Of the JavaScript heap, under the names of Envoy's allocator; what has no counterpart is 0. */
export const memory: Page = {
  path: '/memory',
  help: 'print current allocation/heap usage',
  answer() {
    const { heapUsed, heapTotal, rss } = process.memoryUsage()
    return json({
      allocated: String(heapUsed),
      heap_size: String(heapTotal),
      pageheap_unmapped: '0',
      pageheap_free: String(heapTotal - heapUsed),
      total_thread_cache: '0',
      total_physical_bytes: String(rss),
    })
  },
}

export const drainListeners: Page = {
  path: '/drain_listeners',
  help: 'drain listeners',
  parameters: {
    graceful: 'connections may go on coming until the drain time is over',
    skip_exit: 'connections are told to leave, and listeners stay open',
    inboundonly: 'only listeners whose traffic_direction is INBOUND',
  },
  mutates: true,
  answer(query, _views, actions) {
    const graceful = query.has('graceful')
    const skipExit = query.has('skip_exit')
    if (skipExit && !graceful) return text('skip_exit requires graceful\n', 400)
    actions.drainListeners({ inboundOnly: query.has('inboundonly'), graceful, skipExit })
    return text('OK\n')
  },
}

/** Files of access logs are looked up by their names each second anyway, so that one which was moved away is left by then. */
export const reopenLogs: Page = {
  path: '/reopen_logs',
  help: 'reopen access logs',
  mutates: true,
  answer: () => text('OK\n'),
}

export const quit: Page = {
  path: '/quitquitquit',
  help: 'exit the server',
  mutates: true,
  answer(_query, _views, actions) {
    actions.quit()
    return text('OK\n')
  },
}

export const resetCounters: Page = {
  path: '/reset_counters',
  help: 'reset all counters to zero',
  mutates: true,
  answer(_query, views) {
    for (const family of views.stats.families()) for (const [, metric] of family.series()) if ('reset' in metric) metric.reset()
    return text('OK\n')
  },
}

export const healthcheckFail: Page = {
  path: '/healthcheck/fail',
  help: 'cause the server to fail health checks',
  mutates: true,
  answer(_query, _views, actions) {
    actions.setHealthy(false)
    return text('OK\n')
  },
}

export const healthcheckOk: Page = {
  path: '/healthcheck/ok',
  help: 'cause the server to pass health checks',
  mutates: true,
  answer(_query, _views, actions) {
    actions.setHealthy(true)
    return text('OK\n')
  },
}
