import { createRequire } from 'node:module'
import t from 'tap'
import { parseCatalogUrl } from '../../../adapters/catalog/catalog-url.js'
import { openCatalog } from '../../../adapters/catalog/index.js'
import { sqliteFileFixture } from '../../support/catalog-fixtures.js'

interface Libsql {
  exec(sql: string): void
  prepare(sql: string): { get(): { readonly page_size: number } }
  close(): void
}

const Libsql = createRequire(import.meta.url)('libsql') as new (filename: string) => Libsql

t.test('a new file has pages of 8 KiB, one that exists keeps its own', async (t) => {
  for (const [before, expected] of [
    [undefined, 8192],
    [4096, 4096],
  ] as const) {
    const fixture = await sqliteFileFixture()
    const place = parseCatalogUrl(fixture.url)
    if (place.kind !== 'sqlite') throw new Error('not SQLite')
    if (before !== undefined) {
      const file = new Libsql(place.filename)
      file.exec(`PRAGMA page_size = ${before}`)
      file.exec('CREATE TABLE something (id INT)')
      file.close()
    }
    const catalog = openCatalog(fixture.url)
    await catalog.migrate()
    await catalog.close()
    const file = new Libsql(place.filename)
    t.equal(file.prepare('PRAGMA page_size').get().page_size, expected)
    file.close()
    await fixture.close()
  }
})
