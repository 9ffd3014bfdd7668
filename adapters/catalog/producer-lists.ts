import type { PartitionRef } from '../../engine/model.js'
import type { PartitionProducer } from '../../engine/ports/catalog.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import type { PartitionNumbers } from './partition-numbers.js'
import { pageNumberOf, slotOf } from './partition-page.js'
import { readPartitions } from './partition-rows.js'
import { ProducerPage } from './producer-page.js'
import { producerKeyLiteral, producerOfKey } from './producer-rows.js'
import { bytesOf, inChunks, int, type Row } from './sql-text.js'

/** What admin tools ask: which producers have a state in a partition. */
const PAGES_PER_STATEMENT = 200

/** A page of partitions that is being read, producer by producer. */
interface Listing {
  readonly pageNo: number
  readonly partitionNos: number[]
  nextProducerId: number
}

/** At most `limit` of each partition, by id. */
export async function listProducers(
  dialect: Dialect,
  session: Session,
  numbers: PartitionNumbers,
  partitions: readonly PartitionRef[],
  limit: number,
): Promise<(PartitionProducer[] | undefined)[]> {
  const resolved = await numbers.resolve(session, partitions)
  const found = new Map<number, PartitionProducer[]>()
  for (const partitionNo of (await readPartitions(session, resolved)).keys()) found.set(partitionNo, [])
  let pending = listingsOf(found.keys())
  while (pending.length > 0) {
    const again: Listing[] = []
    for (const chunk of inChunks(pending, PAGES_PER_STATEMENT)) {
      const counts = await readListings(dialect, session, chunk, limit, found)
      for (const [index, listing] of chunk.entries()) {
        // Not all producers of a page have written to each of its partitions.
        const missing = listing.partitionNos.some((partitionNo) => (found.get(partitionNo)?.length ?? 0) < limit)
        if (counts[index] === limit && missing) again.push(listing)
      }
    }
    pending = again
  }
  return resolved.map((partitionNo) => (partitionNo === undefined ? undefined : found.get(partitionNo)))
}

function listingsOf(partitionNos: Iterable<number>): Listing[] {
  const listings = new Map<number, Listing>()
  for (const partitionNo of partitionNos) {
    const pageNo = pageNumberOf(partitionNo)
    const listing = listings.get(pageNo)
    if (listing) listing.partitionNos.push(partitionNo)
    else listings.set(pageNo, { pageNo, partitionNos: [partitionNo], nextProducerId: 0 })
  }
  return [...listings.values()]
}

/** Adds to what was found; answers how many producers each page gave. */
async function readListings(
  dialect: Dialect,
  session: Session,
  listings: readonly Listing[],
  limit: number,
  found: ReadonlyMap<number, PartitionProducer[]>,
): Promise<number[]> {
  const parts = listings.map(({ pageNo, nextProducerId }, index) =>
    dialect.unionPart(
      `SELECT ${int(index)} AS listing, page_key, states FROM producer_pages
       WHERE page_key BETWEEN ${producerKeyLiteral(pageNo, nextProducerId)}
       AND ${producerKeyLiteral(pageNo, Number.MAX_SAFE_INTEGER)} ORDER BY page_key LIMIT ${int(limit)}`,
    ),
  )
  const counts = listings.map(() => 0)
  // A union promises no order.
  const rows = [...(await session.rows(parts.join(' UNION ALL ')))].map((row) => ({
    row,
    index: Number(row['listing']),
    producerId: producerOfKey(bytesOf(row, 'page_key')).producerId,
  }))
  rows.sort((a, b) => a.producerId - b.producerId)
  for (const { row, index, producerId } of rows) {
    const listing = listings[index]
    if (listing === undefined) continue
    counts[index] = (counts[index] ?? 0) + 1
    listing.nextProducerId = producerId + 1
    addStates(row, producerId, listing.partitionNos, limit, found)
  }
  return counts
}

function addStates(
  row: Row,
  producerId: number,
  partitionNos: readonly number[],
  limit: number,
  found: ReadonlyMap<number, PartitionProducer[]>,
): void {
  const page = ProducerPage.decode(bytesOf(row, 'states'))
  for (const partitionNo of partitionNos) {
    const producers = found.get(partitionNo)
    const state = page.state(slotOf(partitionNo))
    if (state === undefined || producers === undefined || producers.length >= limit) continue
    producers.push({
      producerId,
      producerEpoch: state.epoch,
      lastSequence: state.batches.at(-1)?.lastSequence ?? -1,
      usedAtMs: page.usedAtMs(slotOf(partitionNo)) ?? 0,
    })
  }
}
