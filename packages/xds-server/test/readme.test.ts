import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it, vi } from 'vitest'
import type { GrpcXdsServer } from '../src/grpc/index.js'
import { connect } from './client.js'

const folder = path.join(import.meta.dirname, '..')
const CDS = 'type.googleapis.com/envoy.config.cluster.v3.Cluster'

it('the example of the README runs, and a client gets what it sets', async () => {
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(await readFile(path.join(folder, 'README.md'), 'utf8')) ?? []
  const file = path.join(folder, 'test', `readme-${process.pid}.ts`)
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    await writeFile(file, `${code}\nexport { listener }\n`)
    const { listener } = (await import(file)) as { listener: GrpcXdsServer }
    expect(log).toHaveBeenCalledWith('listening on', listener.port)
    const client = connect(listener.port)
    const stream = client.delta()
    stream.send({ node: { id: 'my-proxy' }, type_url: CDS })
    expect((await stream.next()).resources?.[0]).toMatchObject({ name: 'shop', resource: { '@type': CDS } })
    expect(log).toHaveBeenCalledWith('sent', 'my-proxy')
    client.close()
    await listener.close()
  } finally {
    await rm(file, { force: true })
    log.mockRestore()
  }
})
