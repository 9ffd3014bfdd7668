import { isHeadraceError } from '../../engine/errors.js'
import type { PartitionRef } from '../../engine/model.js'
import type { Catalog, CommitLimits, CommitSegment, ExtentRequest, SegmentOutcome } from '../../engine/ports/catalog.js'
import { newSegmentId } from '../../engine/segment-identity.js'
import type { CatalogDatabase } from './catalog-database.js'
import { SimulatedTransactions } from './simulated-transactions.js'
import { catalogFailure, type Life, type World } from './world.js'

/** An agent's connection to the catalog's database: what the engine's write and read path use of the port. */
export function simulatedCatalog(world: World, life: Life, database: CatalogDatabase): Catalog {
  const read = <T>(name: string, effect: () => T): Promise<T> => {
    const failed = () => catalogFailure('before', `${name}: connection lost`)
    return world.call(life, { name, usualMs: world.statementMs, effect, failedBefore: failed, failedAfter: failed })
  }
  const committer = new CommitClient(world, new SimulatedTransactions(world, life), database)
  const used: Pick<Catalog, 'location' | 'commit' | 'partitionOffsets' | 'findExtents'> = {
    location: 'simulated://',
    commit: (segments, limits) => committer.commit(segments, limits),
    partitionOffsets: (refs: readonly PartitionRef[]) =>
      read('partitionOffsets', () => database.partitionOffsets(refs)),
    findExtents: (requests: readonly ExtentRequest[]) => read('findExtents', () => database.findExtents(requests)),
  }
  return used as Catalog
}

/** Commits, also in the ways in which an agent can do it wrong. */
class CommitClient {
  constructor(
    private readonly world: World,
    private readonly transactions: SimulatedTransactions,
    private readonly database: CatalogDatabase,
  ) {}

  async commit(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]> {
    const { bug, random, clock } = this.world
    if (bug === 'ack-before-commit') {
      this.#transaction(segments, limits).catch(() => {})
      return this.database.foresee(segments)
    }
    if (bug !== 'blind-commit-retry') return this.#transaction(segments, limits)
    try {
      return await this.#transaction(segments, limits)
    } catch (error) {
      if (!isHeadraceError(error, 'CATALOG_OUTCOME_UNKNOWN')) throw error
      const renamed = segments.map((segment) => ({ ...segment, segmentId: newSegmentId(clock.nowMs(), random) }))
      return this.#transaction(renamed, limits)
    }
  }

  #transaction(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]> {
    return this.transactions.run('commit', (session) => this.database.commit(segments, limits.commitAgeMaxMs, session))
  }
}
