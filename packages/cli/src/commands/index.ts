import type { Command } from '../command.js'
import { completion } from './completion.js'
import { explain } from './explain.js'
import { translate } from './translate.js'
import { validate } from './validate.js'
import { version } from './version.js'

/** In the order of `heddle --help`. */
export const commands: readonly Command[] = [validate, explain, translate, version, completion(() => commands)]
