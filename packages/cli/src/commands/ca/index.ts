import type { Command } from '../../command.js'
import { caBundle } from './bundle.js'
import { caInit } from './init.js'
import { caIssue } from './issue.js'
import { caRevoke } from './revoke.js'
import { caRotate } from './rotate.js'

export const caCommands: readonly Command[] = [caInit, caIssue, caRevoke, caRotate, caBundle]
