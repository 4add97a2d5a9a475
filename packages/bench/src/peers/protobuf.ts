import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where scripts/install-protobuf-peers.sh puts what it brings. */
export const PROTOBUF_PEERS: string = join(
  process.env['HEDDLE_BENCH_PEERS'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'heddle/bench'),
  'protobuf',
)

export function missingProtobufPeers(): string | undefined {
  return existsSync(join(PROTOBUF_PEERS, 'ready'))
    ? undefined
    : 'protobufjs-cli and others are missing: run packages/bench/scripts/install-protobuf-peers.sh'
}
