import { spawn } from 'node:child_process'
import type { RunCommand } from '@heddle/injector'

/** Runs a program of this machine. */
export const runCommand: RunCommand = (command, args, input = '') =>
  new Promise((resolve) => {
    const child = spawn(command, [...args], { stdio: 'pipe' })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', ({ message }) => resolve({ code: 127, stdout, stderr: message }))
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
    // A program that does not read its input is no failure.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
