import { Server, Socket } from 'node:net'

// A setup file of the unit tests, which lie beside their sources: they open no socket. Tests that do lie in a package's test/.

function refuse(): never {
  throw new Error('a unit test opens no socket: take an in-memory fake, or move the test to test/')
}

Socket.prototype.connect = refuse
Server.prototype.listen = refuse
