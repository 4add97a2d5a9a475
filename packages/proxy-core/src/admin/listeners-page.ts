import { formatAddress } from '../net/address.js'
import { addressMessage } from './address-message.js'
import { json, type Page, text, wantsJson } from './page.js'

export const listeners: Page = {
  path: '/listeners',
  help: 'print listener info',
  parameters: { format: 'text or json' },
  answer(query, views) {
    const all = views.listeners
    if (!wantsJson(query)) return text(all.map(({ name, address }) => `${name}::${formatAddress(address)}\n`).join(''))
    return json({ listener_statuses: all.map(({ name, address }) => ({ name, local_address: addressMessage(address) })) })
  },
}
