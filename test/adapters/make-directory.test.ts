import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeDirectory } from '../../adapters/make-directory.js'

t.test('makes what is missing, and is content with what is there', async (t) => {
  const directory = t.testdir()
  makeDirectory(join(directory, 'a/b/c'))
  makeDirectory(join(directory, 'a/b/c'))
  t.ok(statSync(join(directory, 'a/b/c')).isDirectory())
})

t.test('fails where nothing can be made, and does not spin', async (t) => {
  const directory = t.testdir()
  writeFileSync(join(directory, 'file'), '')
  t.throws(() => makeDirectory(join(directory, 'file/a/b')), { code: 'ENOTDIR' })
  if (process.platform === 'linux') t.throws(() => makeDirectory('/proc/none/a'), { code: 'ENOENT' })
})
