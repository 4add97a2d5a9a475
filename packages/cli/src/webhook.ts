import { type CertificateAuthority, createServerCertificate } from '@heddle/ca'
import { createWebhookServer } from '@heddle/injector'
import { systemClock as clock, createJsonLogger, systemRandom as random } from '@heddle/runtime'
import { type Arguments, InputError, type Io } from './command.js'
import { readInjection } from './injection.js'

/** The injector's webhook beside a control plane, with a certificate of its CA; undefined where --webhook-addr does not ask for it. */
export async function serveWebhook(
  args: Arguments,
  io: Io,
  { authority }: { authority?: CertificateAuthority },
): Promise<{ address: string; close(): Promise<void> } | undefined> {
  const wanted = args.string('webhook-addr')
  if (wanted === undefined || authority === undefined) return undefined
  const inject = await readInjection(args, io)
  if (inject === undefined) throw new InputError('the injection config cannot be read')
  const certificate = createServerCertificate({
    ...{ authority, clock, random },
    names: [{ dns: 'istiod.istio-system.svc' }, { dns: 'localhost' }, { ip: '127.0.0.1' }],
  })
  const server = createWebhookServer({
    identity: certificate.identity,
    inject: () => inject,
    logger: createJsonLogger(io.err, clock),
  })
  try {
    await certificate.ready()
    const address = await server.listen(wanted)
    return {
      address,
      async close() {
        certificate.close()
        await server.close()
      },
    }
  } catch (error) {
    certificate.close()
    throw new InputError(error instanceof Error ? error.message : String(error))
  }
}
