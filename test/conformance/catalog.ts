import type { Test } from 'tap'
import type { Catalog } from '../../engine/ports/catalog.js'
import { agentCases } from './catalog-agents.js'
import { careCases } from './catalog-care.js'
import { commitCases } from './catalog-commit.js'
import { compactionCases } from './catalog-compaction.js'
import { concurrencyCases } from './catalog-concurrency.js'
import { groupCases } from './catalog-groups.js'
import { idempotenceCases } from './catalog-idempotence.js'
import { jobCases } from './catalog-jobs.js'
import { readCases } from './catalog-reads.js'
import { topicCases } from './catalog-topics.js'

/** A catalog under test, empty and migrated, with as many agents on it as asked for. */
export interface CatalogFixture {
  /** One more agent's view of the same catalog. The fixture closes it. */
  connect(): Promise<Catalog>
  close(): Promise<void>
}

export type OpenFixture = () => Promise<CatalogFixture>

const CASES = {
  topicCases,
  commitCases,
  idempotenceCases,
  readCases,
  careCases,
  agentCases,
  groupCases,
  concurrencyCases,
  jobCases,
  compactionCases,
}

/**
 * What `engine/ports/catalog.ts` promises, as tests. Every adapter passes all of them; what only forwards to an adapter, those that
 * show that everything comes through.
 */
export async function catalogSuite(
  t: Test,
  open: OpenFixture,
  names = Object.keys(CASES) as readonly (keyof typeof CASES)[],
): Promise<void> {
  for (const name of names) await t.test(name, (t) => CASES[name](t, open))
}

/** Runs `body` on a fresh catalog. */
export async function onCatalog(
  t: Test,
  open: OpenFixture,
  name: string,
  body: (t: Test, catalog: Catalog, fixture: CatalogFixture) => Promise<void>,
): Promise<void> {
  await t.test(name, async (t) => {
    const fixture = await open()
    try {
      await body(t, await fixture.connect(), fixture)
    } finally {
      await fixture.close()
    }
  })
}
