import type { Command } from '../command.js'
import { completion } from './completion.js'
import { translate } from './translate.js'
import { validate } from './validate.js'
import { version } from './version.js'

/** In the order of `heddle --help`. */
export const commands: readonly Command[] = [validate, translate, version, completion(() => commands)]
