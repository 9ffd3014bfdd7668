import type { PartitionRef, Topic } from '../../engine/model.js'
import type { Catalog, LogStartRequest } from '../../engine/ports/catalog.js'
import type { ExtentRef, JobsCatalog, Lease, LeaseRest, SegmentSwap } from '../../engine/ports/jobs-catalog.js'
import type { CatalogDatabase } from './catalog-database.js'
import { SimulatedTransactions } from './simulated-transactions.js'
import { catalogFailure, type Life, type World } from './world.js'

type Used = Omit<JobsCatalog, 'clearDeletedTopic'> &
  Pick<Catalog, 'listTopics' | 'expireProducers' | 'partitionSizes' | 'advanceLogStarts'>

export interface JobsCatalogOptions {
  readonly configs: Topic['configs']
  /** Leases and rests are minutes long, a run some seconds: theirs are divided by this. */
  readonly leaseDivisor: number
}

/** An agent's connection to the catalog's database: what its background jobs use of the port. */
export function simulatedJobsCatalog(
  world: World,
  life: Life,
  database: CatalogDatabase,
  { configs, leaseDivisor }: JobsCatalogOptions,
): Catalog {
  const { rows, topicId } = database
  const transactions = new SimulatedTransactions(world, life)
  const statement = <T>(name: string, effect: () => T | Promise<T>, writes = false): Promise<T> =>
    world.call(life, {
      name,
      usualMs: world.statementMs,
      effect,
      failedBefore: () => catalogFailure('before', `${name}: connection lost`),
      failedAfter: () => catalogFailure(writes ? 'after' : 'before', `${name}: connection lost`),
    })
  const write = <T>(name: string, effect: () => T | Promise<T>) => statement(name, effect, true)
  // Retention is told of one partition: the logs of the others stay whole, so that everything can be checked there.
  const topics: readonly Topic[] = [{ topicId, name: 'topic', partitionCount: 1, configs }]
  const used: Used = {
    databaseTimeMs: () => statement('databaseTimeMs', () => rows.databaseTimeMs()),
    acquireLease: (name: string, holder: string, durationMs: number) =>
      write('acquireLease', () => rows.acquireLease(name, holder, durationMs / leaseDivisor)),
    renewLease: (lease: Lease, durationMs: number) =>
      write('renewLease', () => rows.renewLease(lease, durationMs / leaseDivisor)),
    releaseLease: (lease: Lease, rest: LeaseRest = { restMs: 0 }) =>
      write('releaseLease', () => rows.releaseLease(lease, { ...rest, restMs: rest.restMs / leaseDivisor })),
    noteLease: (name: string, note: string) => write('noteLease', () => rows.noteLease(name, note)),
    listTopics: () => statement('listTopics', () => [...topics]),
    deletedTopics: (limit: number) => statement('deletedTopics', () => rows.deletedTopics(limit)),
    // What it would forget are producers that nobody uses any more; here all are in use.
    expireProducers: () => write('expireProducers', () => 0),
    oldestExtents: (requests) => statement('oldestExtents', () => rows.oldestExtents(requests)),
    partitionSizes: (refs: readonly PartitionRef[]) => statement('partitionSizes', () => database.partitionSizes(refs)),
    advanceLogStarts: (requests: readonly LogStartRequest[]) =>
      write('advanceLogStarts', () => database.advanceLogStarts('retention', requests)),
    removeExtents: (extents: readonly ExtentRef[]) => {
      const segmentIds = [...new Set(extents.map(({ segmentId }) => segmentId))]
      return transactions.run('removeExtents', (session) =>
        database.change('removal', segmentIds, session, () => rows.removeExtents(extents)),
      )
    },
    segmentTotals: () => statement('segmentTotals', () => rows.segmentTotals()),
    liveSegments: (request) => statement('liveSegments', () => rows.liveSegments(request)),
    liveUseOf: (segmentIds) => statement('liveUseOf', () => rows.liveUseOf(segmentIds)),
    extentsOfSegments: (segmentIds) => statement('extentsOfSegments', () => rows.extentsOfSegments(segmentIds)),
    swapSegments: (swap: SegmentSwap, { commitAgeMaxMs }) =>
      transactions.run('swapSegments', (session) => database.swap(swap, commitAgeMaxMs, session)),
    deadSegments: (graceMs, limit) => statement('deadSegments', () => rows.deadSegments(graceMs, limit)),
    markObjectsDeleted: (segmentIds) => write('markObjectsDeleted', () => rows.markObjectsDeleted(segmentIds)),
    forgetSegments: (ageMinMs, limit) => write('forgetSegments', () => rows.forgetSegments(ageMinMs, limit)),
    orphansAmong: (segmentIds, ageMinMs) => statement('orphansAmong', () => rows.orphansAmong(segmentIds, ageMinMs)),
    newestSegmentId: () => statement('newestSegmentId', () => rows.newestSegmentId()),
  }
  return used as Catalog
}
