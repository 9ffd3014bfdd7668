import { deleteOrphans, sweep } from '../../engine/jobs/index.js'
import type { JobsCatalog } from '../../engine/ports/jobs-catalog.js'
import type { CatalogDatabase } from './catalog-database.js'
import { COMMIT_AGE_MAX_MS } from './simulated-agent.js'
import type { SimulatedObjectStore } from './simulated-object-store.js'
import type { World } from './world.js'

/** One pass of the real orphan sweep over the simulated stores; answers the keys it deleted, or tried to. */
export async function sweepOrphans(
  world: World,
  objectStore: SimulatedObjectStore,
  database: CatalogDatabase,
): Promise<readonly string[]> {
  const deletedKeys: string[] = []
  await sweep({
    catalog: jobsCatalog(world, database),
    objectStore,
    // An age of nothing is no rule: what no row claims now is an orphan then, whoever is about to commit it.
    commitAgeMaxMs: world.bug === 'sweep-without-age-rule' ? 0 : COMMIT_AGE_MAX_MS,
    onOrphans: async (orphans) => {
      for (const { key } of orphans) deletedKeys.push(key)
      await deleteOrphans(objectStore, orphans)
    },
  }).catch(() => {})
  return deletedKeys
}

/** What the sweep asks of the catalog, by the database's clock. */
function jobsCatalog(world: World, database: CatalogDatabase): JobsCatalog {
  const used: Pick<JobsCatalog, 'databaseTimeMs' | 'orphansAmong'> = {
    databaseTimeMs: async () => {
      await world.sleep(world.between(1, 10))
      return world.clock.nowMs()
    },
    orphansAmong: async (segmentIds, ageMinMs) => {
      await world.sleep(world.between(1, 10))
      return database.rows.orphansAmong(segmentIds, ageMinMs)
    },
  }
  return used as JobsCatalog
}
