import { Http2Error } from './error.js'
import { DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, ERROR_CODE, MAX_WINDOW, SETTING } from './frames.js'

/** What a peer has said of itself (RFC 9113 §6.5.2); the values before it says anything. */
export interface PeerSettings {
  headerTableSize: number
  maxConcurrentStreams: number
  initialWindowSize: number
  maxFrameSize: number
  enableConnectProtocol: boolean
}

export function initialPeerSettings(): PeerSettings {
  return {
    headerTableSize: 4096,
    maxConcurrentStreams: Number.POSITIVE_INFINITY,
    initialWindowSize: DEFAULT_WINDOW,
    maxFrameSize: DEFAULT_FRAME_SIZE,
    enableConnectProtocol: false,
  }
}

const LARGEST_FRAME_SIZE = 2 ** 24 - 1

/** Takes over the entries of a SETTINGS frame; throws for values that are not allowed. */
export function applySettings(settings: PeerSettings, payload: Buffer, fromServer: boolean): void {
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const value = payload.readUInt32BE(at + 2)
    switch (payload.readUInt16BE(at)) {
      case SETTING.headerTableSize:
        settings.headerTableSize = value
        break
      case SETTING.enablePush:
        if (value > (fromServer ? 0 : 1)) throw invalid('ENABLE_PUSH')
        break
      case SETTING.maxConcurrentStreams:
        settings.maxConcurrentStreams = value
        break
      case SETTING.initialWindowSize:
        if (value > MAX_WINDOW) throw invalid('INITIAL_WINDOW_SIZE', ERROR_CODE.flowControlError)
        settings.initialWindowSize = value
        break
      case SETTING.maxFrameSize:
        if (value < DEFAULT_FRAME_SIZE || value > LARGEST_FRAME_SIZE) throw invalid('MAX_FRAME_SIZE')
        settings.maxFrameSize = value
        break
      case SETTING.enableConnectProtocol:
        if (value > 1) throw invalid('ENABLE_CONNECT_PROTOCOL')
        settings.enableConnectProtocol = value === 1
        break
    }
  }
}

/** The payload of a SETTINGS frame. */
export function settingsPayload(entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6)
  for (const [i, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(id, i * 6)
    payload.writeUInt32BE(value, i * 6 + 2)
  }
  return payload
}

function invalid(name: string, code: number = ERROR_CODE.protocolError): Http2Error {
  return new Http2Error(code, `SETTINGS_${name} has a value that is not allowed`, { tell: false })
}
