import { type Page, text } from './page.js'

// Envoy counts how often a statistic is looked up by its name while requests are served. Here that never happens: each part
// holds its statistics, so there is nothing to list once tracking is on.

const PATH = '/stats/recentlookups'

export const recentLookups: Page = {
  path: PATH,
  help: 'Show recent stat-name lookups',
  answer: (_, { lookups }) =>
    text(
      lookups.tracked
        ? '   Count Lookup\n\ntotal: 0\n'
        : `Lookup tracking is not enabled. Use ${PATH}/enable to enable.\n\ntotal: 0\n`,
    ),
}

export const clearLookups: Page = {
  path: `${PATH}/clear`,
  help: 'clear list of stat-name lookups and counter',
  mutates: true,
  answer: () => text('OK\n'),
}

const track = (tracked: boolean): Page => {
  const does = tracked ? 'enable' : 'disable'
  return {
    path: `${PATH}/${does}`,
    help: `${does} recording of reset stat-name lookup names`,
    mutates: true,
    answer(_, { lookups }) {
      lookups.tracked = tracked
      return text('OK\n')
    },
  }
}

export const enableLookups: Page = track(true)
export const disableLookups: Page = track(false)
