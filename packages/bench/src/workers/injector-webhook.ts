import { createSelfSignedAuthority, createServerCertificate } from '@heddle/ca'
import { createWebhookServer } from '@heddle/injector'
import { systemClock as clock, systemRandom as random } from '@heddle/runtime'

// The injector's webhook on a free port of 127.0.0.1; one line of JSON tells where, and whom to trust.

export interface ServedWebhook {
  readonly port: number
  /** PEM. */
  readonly ca: string
}

const authority = await createSelfSignedAuthority({ clock })
const certificate = createServerCertificate({ authority, names: [{ ip: '127.0.0.1' }], clock, random })
await certificate.ready()
const server = createWebhookServer({ identity: certificate.identity })
const port = Number((await server.listen('127.0.0.1:0')).split(':')[1])
console.log(JSON.stringify({ port, ca: authority.trustBundle.current.join('\n') } satisfies ServedWebhook))
