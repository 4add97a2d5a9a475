import { close, open, write } from 'node:fs'
import type { Clock } from '@heddle/runtime'

/** A file that was moved away is written to for this long, then the one of its name. */
const REOPEN_MS = 1000

/**
 * Appends blocks to a file, one at a time, and makes it where it is not there. It stays open for a second: to open it for each
 * block takes longer than to write. Rejects with the system's error.
 */
export function createFileAppender(path: string, clock: Clock): (block: Buffer) => Promise<void> {
  let fd: number | undefined
  let writing = false
  let due = false
  const shut = (): void => {
    due = writing
    if (writing || fd === undefined) return
    close(fd, () => {})
    fd = undefined
  }
  const append = async (block: Buffer): Promise<void> => {
    if (fd === undefined) {
      fd = await opened(path)
      clock.after(REOPEN_MS, shut)
    }
    for (let at = 0; at < block.length; ) at += await written(fd, block, at)
  }
  return async (block) => {
    writing = true
    try {
      await append(block)
    } finally {
      writing = false
      if (due) shut()
    }
  }
}

function opened(path: string): Promise<number> {
  return new Promise((resolve, reject) => open(path, 'a', (error, fd) => (error === null ? resolve(fd) : reject(error))))
}

function written(fd: number, block: Buffer, from: number): Promise<number> {
  return new Promise((resolve, reject) =>
    write(fd, block, from, block.length - from, null, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
  )
}
