import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCatalog } from '../../adapters/catalog/index.js'
import { openThreadedCatalog } from '../../adapters/catalog/threaded-catalog.js'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { CatalogFixture } from '../conformance/catalog.js'

/** A SQLite file in a directory of its own; each `connect` is another connection to it. */
export async function sqliteFileFixture(): Promise<CatalogFixture & { readonly url: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-catalog-'))
  const url = `sqlite://${directory}/catalog.db`
  const fixture = urlFixture(url)
  const close = async () => {
    await fixture.close()
    await rm(directory, { recursive: true, force: true })
  }
  return { ...fixture, url, close }
}

export const sqliteMemoryFixture = () => sharedFixture(openCatalog('sqlite::memory:'))
/** In a thread, as agents have it. */
export const threadedMemoryFixture = () => sharedFixture(openThreadedCatalog('sqlite::memory:'))

/** A database in memory belongs to one connection: all agents of the fixture share it. */
async function sharedFixture(catalog: Catalog): Promise<CatalogFixture> {
  await catalog.migrate()
  return { connect: async () => catalog, close: () => catalog.close() }
}

export function urlFixture(url: string): CatalogFixture {
  const catalogs: Catalog[] = []
  return {
    connect: async () => {
      const catalog = openCatalog(url)
      catalogs.push(catalog)
      await catalog.migrate()
      return catalog
    },
    close: async () => {
      await Promise.all(catalogs.map((catalog) => catalog.close()))
    },
  }
}
