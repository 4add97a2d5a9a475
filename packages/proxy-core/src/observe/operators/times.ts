import { ok } from '@heddle/runtime'
import type { PeerCertificate } from '../../net/connection.js'
import type { AccessLogEntry } from '../access-log.js'
import { compileTimeFormat } from '../start-time.js'
import type { MakeOperator } from './operator.js'

const started = ({ info }: AccessLogEntry): number => info.startTime
/** A line is written when the request is over, or as far as it has come. */
const emitted = ({ info }: AccessLogEntry): number => info.startTime + ((info.end ?? info.start) - info.start)

function timeOperator(read: (entry: AccessLogEntry) => number | undefined, local = false): MakeOperator {
  return (args) => {
    const format = compileTimeFormat(args, local)
    return ok((entry) => {
      const time = read(entry)
      return time === undefined ? undefined : format(time)
    })
  }
}

const validity = (peerOf: (entry: AccessLogEntry) => PeerCertificate | undefined, end: 'from' | 'to'): MakeOperator =>
  timeOperator((entry) => peerOf(entry)?.validity()[end])
const downstreamPeer = ({ info }: AccessLogEntry): PeerCertificate | undefined => info.downstreamTls?.peer
const upstreamPeer = ({ info }: AccessLogEntry): PeerCertificate | undefined => info.upstreamTls?.peer

export const timeOperators: Readonly<Record<string, MakeOperator>> = {
  START_TIME: timeOperator(started),
  START_TIME_LOCAL: timeOperator(started, true),
  EMIT_TIME: timeOperator(emitted),
  EMIT_TIME_LOCAL: timeOperator(emitted, true),
  DOWNSTREAM_PEER_CERT_V_START: validity(downstreamPeer, 'from'),
  DOWNSTREAM_PEER_CERT_V_END: validity(downstreamPeer, 'to'),
  UPSTREAM_PEER_CERT_V_START: validity(upstreamPeer, 'from'),
  UPSTREAM_PEER_CERT_V_END: validity(upstreamPeer, 'to'),
}
