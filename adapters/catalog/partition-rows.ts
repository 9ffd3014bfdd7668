import { Buffer } from 'node:buffer'
import type { PartitionState } from '../../engine/commit/commit-decisions.js'
import type { Session } from './database.js'
import type { Dialect } from './dialect.js'
import { partitionNumberMax, partitionNumberMin } from './partition-numbers.js'
import { pageNumberOf, readPartition, slotOf } from './partition-page.js'
import { anyOf, type BulkInsert, bytesOf, inChunks, int, intOf, type Row, within } from './sql-text.js'

/** Rows of `partition_pages`: read by partition, locked and written by page. */
const PAGES_PER_STATEMENT = 1000

/** Those partitions that exist, by number, as they are committed. Locks nothing. */
export async function readPartitions(
  session: Session,
  partitionNos: Iterable<number | undefined>,
): Promise<ReadonlyMap<number, PartitionState>> {
  const wanted = [...new Set(partitionNos)].filter((number) => number !== undefined)
  const pages = new Map<number, Uint8Array>()
  for (const chunk of inChunks([...new Set(wanted.map(pageNumberOf))], PAGES_PER_STATEMENT)) {
    const condition = within('page_no', chunk.map(int))
    const rows = await session.rows(`SELECT page_no, partitions FROM partition_pages WHERE ${condition}`)
    for (const row of rows) pages.set(intOf(row, 'page_no'), bytesOf(row, 'partitions'))
  }
  const states = new Map<number, PartitionState>()
  for (const partitionNo of wanted) {
    const page = pages.get(pageNumberOf(partitionNo))
    const state = page && readPartition(page, slotOf(partitionNo))
    if (state) states.set(partitionNo, state)
  }
  return states
}

/** By number; to be changed in place. */
export type PartitionPages = ReadonlyMap<number, Uint8Array>

/** Those pages that exist, locked until the transaction ends. */
export async function lockPages(
  dialect: Dialect,
  session: Session,
  pageNos: ReadonlySet<number>,
): Promise<PartitionPages> {
  return pageNos.size === 0 ? new Map() : pagesOf(await session.rows(lockPagesQuery(dialect, pageNos)))
}

/**
 * In one statement and in the order of the numbers, so that whoever locks pages waits for others but never in a circle. Of no
 * page it answers no row.
 */
export function lockPagesQuery(dialect: Dialect, pageNos: ReadonlySet<number>): string {
  const literals = [...pageNos].sort((a, b) => a - b).map(int)
  return `SELECT page_no, partitions FROM partition_pages${dialect.onPrimaryKey}
    WHERE ${anyOf('page_no', literals)} ORDER BY page_no${dialect.lockRows}`
}

/** What `lockPagesQuery` answered. */
export function pagesOf(rows: readonly Row[]): PartitionPages {
  return new Map(rows.map((row) => [intOf(row, 'page_no'), Buffer.from(bytesOf(row, 'partitions'))]))
}

export function replacePages(dialect: Dialect, session: Session, pages: PartitionPages): Promise<void> {
  return session.insertRows(pagesReplacement(dialect, pages))
}

/** Locked ones always end in the update: the one bulk update that all databases know. */
export function pagesReplacement(dialect: Dialect, pages: PartitionPages): BulkInsert {
  return {
    table: 'partition_pages',
    columns: ['page_no', 'partitions'],
    rows: [...pages],
    suffix: dialect.onConflictReplace(['page_no'], ['partitions']),
  }
}

/** Condition: all pages of the topic. */
export function pagesOfTopic(topicNo: number): string {
  const first = pageNumberOf(partitionNumberMin(topicNo))
  const last = pageNumberOf(partitionNumberMax(topicNo))
  return `page_no BETWEEN ${int(first)} AND ${int(last)}`
}
