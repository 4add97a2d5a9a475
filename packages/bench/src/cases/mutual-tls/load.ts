import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findHaproxy } from '../../peers/find.js'
import { haproxyConfig } from './haproxy-config.js'

/** A connection for each request, or requests on connections that are kept. */
export type Mode = 'handshakes' | 'requests'

/** haproxy as the client: it takes plain requests on `port` and makes each by mTLS, with the certificates of the folder. No session is resumed. */
export async function clientCommand(folder: string, mode: Mode, port: number, server: number): Promise<readonly string[]> {
  const file = join(folder, 'client.cfg')
  await writeFile(file, clientConfig(folder, mode, port, server))
  return [findHaproxy()!.path, '-db', '-q', '-f', file]
}

function clientConfig(folder: string, mode: Mode, port: number, server: number): string {
  const tls = `ssl crt ${join(folder, 'client.pem')} ca-file ${join(folder, 'root.crt')} verify required no-ssl-reuse alpn http/1.1`
  const reuse = mode === 'handshakes' ? 'option http-server-close' : 'http-reuse always'
  return haproxyConfig(`frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  ${reuse}
  server out 127.0.0.1:${server} ${tls}
`)
}
