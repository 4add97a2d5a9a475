import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RoundContext } from '../../bench-case.js'
import { heddleCommand, workerCommand } from '../../commands.js'
import { findEnvoy, findHaproxy, findNginx } from '../../peers/find.js'
import { bootstrap, type Work } from './bootstrap.js'
import { type CertificateFiles, writeCertificate } from './certificate.js'

/** A reverse proxy under test: the same work by each, as far as its configuration can say it. */
export interface HttpProxy {
  /** The words that start it: it listens on `port`, sends all to `upstream`, logs each request to a file in the folder. */
  command(context: RoundContext, port: number, upstream: number): Promise<readonly string[]>
}

export function heddle(work: Work): HttpProxy {
  return {
    async command(context, port, upstream) {
      const file = await writeBootstrap(work, context, port, upstream)
      return [...heddleCommand(context.built), 'proxy', '-c', file, '--concurrency', '1', '--log-level', 'error']
    },
  }
}

/** Takes the very same file as ours. */
export function envoy(work: Work): HttpProxy {
  return {
    async command(context, port, upstream) {
      const file = await writeBootstrap(work, context, port, upstream)
      return [findEnvoy()!.path, '-c', file, '--concurrency', '1', '--log-level', 'error', '--disable-hot-restart']
    },
  }
}

export function nginx({ secure = false }: Pick<Work, 'secure'> = {}): HttpProxy {
  return {
    async command(context, port, upstream) {
      const file = join(context.folder, 'nginx.conf')
      const certificate = secure ? await writeCertificate(context) : undefined
      await writeFile(file, nginxProxy(context.folder, port, upstream, certificate))
      return [findNginx()!.path, '-p', context.folder, '-e', 'stderr', '-c', file]
    },
  }
}

export const haproxy = (protocol: Work['protocol'] = 'HTTP1'): HttpProxy => ({
  async command(context, port, upstream) {
    const file = join(context.folder, 'haproxy.cfg')
    await writeFile(file, haproxyConfig(port, upstream, protocol === 'HTTP2' ? ' proto h2' : ''))
    // It logs to sockets and to its own output only; the shell becomes haproxy, so the process id stays.
    return ['sh', '-c', 'exec "$0" -db -q -f "$1" > "$2"', findHaproxy()!.path, file, join(context.folder, 'access.log')]
  },
})

/** A file of src/workers: what one writes in Node, without a library or with one. */
export function inNode(worker: 'node-http-proxy' | 'node-http2-proxy' | 'http-proxy'): HttpProxy {
  return {
    command: async (context, port, upstream) => [
      ...workerCommand(worker, context.built),
      String(port),
      String(upstream),
      join(context.folder, 'access.log'),
    ],
  }
}

async function writeBootstrap(work: Work, context: RoundContext, port: number, upstream: number): Promise<string> {
  const file = join(context.folder, 'bootstrap.json')
  const certificate = work.secure === true ? await writeCertificate(context) : undefined
  const log = join(context.folder, 'access.log')
  await writeFile(file, JSON.stringify(bootstrap({ ...work, port, upstream, log, certificate })))
  return file
}

/** One process in the foreground that writes nothing outside the folder. */
export function nginxConfig(folder: string, http: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  return `daemon off; master_process off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
  ${temporary.join(' ')}
  keepalive_requests 100000000;
  ${http}
}
`
}

function nginxProxy(folder: string, port: number, upstream: number, certificate: CertificateFiles | undefined): string {
  const tls = certificate && `ssl_certificate ${certificate.certificate}; ssl_certificate_key ${certificate.key};`
  return nginxConfig(
    folder,
    `log_format whole '$remote_addr [$time_iso8601] "$request" $status $body_bytes_sent $request_time "$http_user_agent" "$request_id" "$upstream_addr"';
  access_log ${folder}/access.log whole buffer=64k flush=1s;
  upstream app { server 127.0.0.1:${upstream}; keepalive 256; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port}${tls === undefined ? '' : ' ssl'}; ${tls ?? ''}
    client_max_body_size 0;
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Request-Id $request_id; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`,
  )
}

/** `protocol`: as its `bind` and `server` lines say it. */
function haproxyConfig(port: number, upstream: number, protocol: string): string {
  return `global
  nbthread 1
  maxconn 4096
  log stdout format raw local0
defaults
  mode http
  option httplog
  option http-keep-alive
  http-reuse always
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}${protocol}
  log global
  unique-id-format %[uuid()]
  unique-id-header x-request-id
  option forwardfor
  default_backend app
backend app
  server app 127.0.0.1:${upstream}${protocol} pool-max-conn 512
`
}
