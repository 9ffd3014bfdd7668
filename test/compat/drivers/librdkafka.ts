import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Teardown } from '../../support/store-pairs.js'
import { CODECS } from '../driver.js'
import type { JsonLinesClient } from './json-lines-driver.js'

const SOURCES = fileURLToPath(new URL('../../../../test/compat/drivers/librdkafka/', import.meta.url))
const FLAGS = ['-std=gnu11', '-O1', '-Wall', '-Wextra', '-Werror']
const LIBRARIES = ['-lrdkafka', '-ljansson', '-lpthread']

/** librdkafka as C programs use it: a program that is compiled here, and gone with `t`. */
export function compileLibrdkafka(t: Teardown): JsonLinesClient {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-librdkafka-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const program = join(directory, 'client')
  const sources = readdirSync(SOURCES)
    .filter((name) => name.endsWith('.c'))
    .sort()
  execFileSync('gcc', [...FLAGS, '-o', program, ...sources.map((name) => join(SOURCES, name)), ...LIBRARIES])
  return { client: 'librdkafka (C)', command: [program], codecs: CODECS, lacks: {} }
}
