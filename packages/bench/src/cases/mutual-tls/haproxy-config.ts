/** One thread of HTTP that keeps its connections, and patience; `proxies`: the sections that serve. */
export function haproxyConfig(proxies: string): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  timeout connect 10s
  timeout client 60s
  timeout server 60s
${proxies}`
}
