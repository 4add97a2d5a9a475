import { createSocket } from 'node:dgram'
import type { DatagramSender } from '../observe/statsd.js'
import type { SocketAddress } from './connection.js'

/** UDP to one address. What cannot be sent is lost, as UDP is. The socket does not keep the process alive. */
export function createUdpSender({ address, port }: SocketAddress): DatagramSender {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  socket.unref()
  socket.on('error', () => {})
  let closed = false
  return {
    send(text) {
      if (!closed) socket.send(text, port, address, () => {})
    },
    close() {
      closed = true
      // The last datagrams go out first.
      socket.send('', port, address, () => socket.close())
    },
  }
}
