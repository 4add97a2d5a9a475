import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** One file of cases. */
export interface DataFile {
  readonly path: string
  /** The folder that was named; runners lie beside it, in `../tools`. */
  readonly folder: string
  json(): unknown
}

/** The folders of `--data`; without any, those of the variable HEDDLE_CONFORMANCE. */
export function dataFolders(named: readonly string[], variable: string | undefined): string[] {
  const list = named.length > 0 ? named : (variable ?? '').split(delimiter)
  return list.filter((folder) => folder !== '').map((folder) => resolve(folder))
}

/** That file, packed or not, in each folder that has it. */
export function findData(folders: readonly string[], name: string): DataFile[] {
  return folders.flatMap((folder) => {
    const path = [join(folder, name), join(folder, `${name}.gz`)].find((each) => existsSync(each))
    return path === undefined ? [] : [{ path, folder, json: () => readJson(path) }]
  })
}

function readJson(path: string): unknown {
  const raw = readFileSync(path)
  return JSON.parse((raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw).toString('utf8'))
}
