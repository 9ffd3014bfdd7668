import { isHeadraceError } from '../../engine/errors.js'
import type { PartitionRef } from '../../engine/model.js'
import type { Catalog, CommitLimits, CommitSegment, ExtentRequest, SegmentOutcome } from '../../engine/ports/catalog.js'
import { newSegmentId } from '../../engine/segment-identity.js'
import type { CatalogDatabase, Session } from './catalog-database.js'
import { catalogFailure, type Life, never, type World } from './world.js'

/** An agent's connection to the catalog's database: what the engine's write and read path use of the port. */
export function simulatedCatalog(world: World, life: Life, database: CatalogDatabase): Catalog {
  const read = <T>(name: string, effect: () => T): Promise<T> => {
    const failed = () => catalogFailure('before', `${name}: connection lost`)
    return world.call(life, { name, usualMs: world.statementMs, effect, failedBefore: failed, failedAfter: failed })
  }
  const committer = new CommitClient(world, life, database)
  const used: Pick<Catalog, 'location' | 'commit' | 'partitionOffsets' | 'findExtents'> = {
    location: 'simulated://',
    commit: (segments, limits) => committer.commit(segments, limits),
    partitionOffsets: (refs: readonly PartitionRef[]) =>
      read('partitionOffsets', () => database.partitionOffsets(refs)),
    findExtents: (requests: readonly ExtentRequest[]) => read('findExtents', () => database.findExtents(requests)),
  }
  return used as Catalog
}

/** The connection breaks at any statement, COMMIT among them, and the transaction may go on without its client. */
class CommitClient {
  constructor(
    private readonly world: World,
    private readonly life: Life,
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

  async #transaction(segments: readonly CommitSegment[], limits: CommitLimits): Promise<SegmentOutcome[]> {
    const { world, life } = this
    world.boundary(life)
    if (!life.alive) return never()
    const fate = world.fate(world.statementMs)
    if (fate.kind !== 'ok') world.history.add({ kind: 'call', agent: life.name, call: 'commit', fate: fate.kind })
    const answer = this.database.commit(segments, limits.commitAgeMaxMs, this.#session(fate.kind === 'before'))
    // The client may lose patience while the database still works on it, or waits for a lock.
    const patienceMs = fate.kind === 'after' ? world.between(0, 40) : Number.POSITIVE_INFINITY
    const outcome = await this.#await(answer, patienceMs)
    await world.sleep(fate.responseMs)
    world.boundary(life)
    if (!life.alive) return never()
    return outcome()
  }

  #await(answer: Promise<SegmentOutcome[]>, patienceMs: number): Promise<() => SegmentOutcome[]> {
    return new Promise((resolve) => {
      const lost = () =>
        resolve(() => {
          throw catalogFailure('after', 'commit: no answer')
        })
      if (Number.isFinite(patienceMs)) this.world.clock.schedule(patienceMs, lost)
      answer.then(
        (outcomes) => {
          if (!Number.isFinite(patienceMs)) resolve(() => outcomes)
        },
        (error) => {
          resolve(() => {
            throw error
          })
        },
      )
    })
  }

  /** `fails`: the connection breaks at one of the statements; at COMMIT nobody learns whether it was before or after. */
  #session(fails: boolean): Session {
    const { world, life } = this
    const failsAt = fails ? world.int(5) : -1
    let statement = 0
    const travel = async () => {
      world.boundary(life)
      const rollsBack = !life.alive
      await world.sleep(world.between(0.1, world.statementMs))
      if (rollsBack) throw catalogFailure('before', 'the client has gone')
    }
    return {
      statement: async () => {
        await travel()
        if (statement++ === failsAt) throw catalogFailure('before', 'connection lost')
      },
      commit: async () => {
        await travel()
        if (failsAt >= 3) throw catalogFailure('after', 'connection lost at COMMIT, which did not come')
      },
    }
  }
}
