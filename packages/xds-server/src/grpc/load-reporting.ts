import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js'
import { LoadStatsRequest, LoadStatsResponse } from '@heddle/xds-types/envoy/service/load_stats/v3'
import type { LoadReports } from '../load-reports.js'
import { type Authenticate, peerOf } from './peer.js'
import { rawService } from './raw-service.js'

export interface AddLoadReportingOptions {
  /** Who may report. Default: everybody. */
  readonly authenticate?: Authenticate
}

type Call = ServerDuplexStream<Buffer, Buffer>

/** Adds LRS: clients with an `lrs_server` report here what load they see. */
export function addLoadReportingService(
  grpcServer: Server,
  reports: LoadReports,
  { authenticate }: AddLoadReportingOptions = {},
): void {
  const serve = (call: Call): void => {
    const stream = reports.connect()
    call.on('data', (bytes: Buffer) => {
      const request = LoadStatsRequest.decode(bytes)
      if (!request.ok) {
        const details = `not a LoadStatsRequest: ${request.diagnostics[0]?.message}`
        call.emit('error', { code: status.INVALID_ARGUMENT, details })
        return
      }
      const answer = stream.reported(request.value)
      if (answer !== undefined) call.write(Buffer.from(LoadStatsResponse.encode(answer)))
    })
    call.on('end', () => call.end())
    call.on('close', () => stream.end())
  }
  grpcServer.addService(
    rawService('envoy.service.load_stats.v3.LoadReportingService', { StreamLoadStats: { streaming: true } }),
    {
      StreamLoadStats(call: Call) {
        call.on('error', () => {})
        if (authenticate === undefined) return serve(call)
        void Promise.resolve(authenticate(peerOf(call))).then((caller) => {
          if (caller.ok) serve(call)
          else
            call.emit('error', { code: status.UNAUTHENTICATED, details: caller.diagnostics[0]?.message ?? 'not authenticated' })
        })
      },
    },
  )
}
