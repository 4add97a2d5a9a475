import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findHaproxy, findNginx } from '../../peers/find.js'
import type { Work } from './bootstrap.js'
import { nginxConfig } from './proxies.js'

export const BODY: string = 'x'.repeat(1024)

/** What answers 1 KiB from memory, the same for every proxy: the program that does it with the least time. */
export function upstreamCommand(folder: string, port: number, protocol: Work['protocol']): Promise<readonly string[]> {
  return protocol === 'HTTP1' ? nginxUpstream(folder, port) : haproxyUpstream(folder, port)
}

async function nginxUpstream(folder: string, port: number): Promise<readonly string[]> {
  const file = join(folder, 'upstream.conf')
  const server = `access_log off; default_type text/plain; server { listen 127.0.0.1:${port}; location / { return 200 "${BODY}"; } }`
  await writeFile(file, nginxConfig(join(folder, 'upstream'), server))
  await mkdir(join(folder, 'upstream'))
  return [findNginx()!.path, '-p', join(folder, 'upstream'), '-e', 'stderr', '-c', file]
}

/** Of HTTP/2 it needs two thirds of nginx's time. */
async function haproxyUpstream(folder: string, port: number): Promise<readonly string[]> {
  const file = join(folder, 'upstream.cfg')
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 4096
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port} proto h2
  http-request return status 200 content-type text/plain string "${BODY}"
`,
  )
  return [findHaproxy()!.path, '-db', '-q', '-f', file]
}
