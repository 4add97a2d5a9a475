import { json, type Page, text } from './page.js'

export const runtime: Page = {
  path: '/runtime',
  help: 'print runtime values',
  answer(_query, { runtime: { layers, entries } }) {
    const shown = entries().map(([key, values]) => {
      const final_value = [...values].reverse().find((value) => value !== '') ?? ''
      return [key, { layer_values: values, final_value }] as const
    })
    return json({ layers, entries: Object.fromEntries(shown) })
  },
}

export const runtimeModify: Page = {
  path: '/runtime_modify',
  help: 'add or modify runtime values, by their keys; an empty value takes one away',
  mutates: true,
  answer(query, views) {
    const values = new Map(query)
    if (values.size === 0)
      return text(
        'usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN\n       or send the parameters as form values\nuse an empty value to remove a previously added override',
        400,
      )
    return views.runtime.modify(values) ? text('OK\n') : text('No admin layer specified', 503)
  },
}
