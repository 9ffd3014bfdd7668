import { isHeadraceError } from '../../engine/errors.js'
import type { Database, Session } from './database.js'
import type { Dialect } from './dialect.js'
import { type ExtentRow, extentRow, extentsInsert, RECENT_COLUMNS, recentExtentsOf } from './extent-rows.js'
import { blob, bytesOf, hexOf, inChunks, int, intOf, pairsWithin, type Row, within } from './sql-text.js'

/**
 * Filing: recent extents get rows of their own, in the order of partitions and offsets. One commit's extents belong to as many places of that
 * order as it has partitions; those of many commits to a page of partitions, filed together, share them
 * (docs/adr/0011-recent-extents.md).
 *
 * Filing takes no lock but that of the rows it moves, so commits go on beside it. Once filed, extents stay filed: who is about to
 * remove or replace some files them first.
 */

/** Commits to a page after which its extents are filed. More save work, and are more to read for who looks for an extent. */
const RECENT_MAX = 32
/** Of one transaction: SQLite's commits wait for it. */
const PAGES_PER_TRANSACTION = 16
const LITERALS_PER_STATEMENT = 500

/** Files what there is of these pages. Part of a transaction. */
async function filePages(dialect: Dialect, session: Session, pageNos: readonly number[]): Promise<void> {
  const rows = await session.rows(
    `SELECT ${RECENT_COLUMNS} FROM recent_extents${dialect.onPrimaryKey} WHERE ${within('page_no', pageNos.map(int))}
     ORDER BY page_no, segment_id${dialect.lockRows}`,
  )
  if (rows.length === 0) return
  const deletes = conditionsOf(rows).map((condition) => dialect.deleteByIndex('recent_extents', 'PRIMARY', condition))
  await session.runEach([extentsInsert(extentRowsOf(rows)), ...deletes])
}

/** In the order of the table. */
function extentRowsOf(rows: readonly Row[]): ExtentRow[] {
  const filed = rows.flatMap((row) => {
    const segmentHex = hexOf(row, 'segment_id')
    return recentExtentsOf(row).map((extent) =>
      extentRow(extent.partitionNo, segmentHex, extent, extent.runningMaxTimestampMs),
    )
  })
  return filed.sort(([aNo, aEnd], [bNo, bEnd]) => aNo - bNo || aEnd - bEnd)
}

/** Exactly these rows: a commit may have brought others meanwhile. */
function conditionsOf(rows: readonly Row[]): string[] {
  const keys = rows.map((row) => [int(intOf(row, 'partition_no')), blob(bytesOf(row, 'segment_id'))] as const)
  return pairsWithin('page_no', 'segment_id', keys)
}

/**
 * Files all recent extents of those pages that have any where the condition on `recent_extents` holds, the first `pageCountMax` of them, in
 * transactions of bounded size.
 */
export async function fileWhere(
  database: Database,
  condition: string,
  pageCountMax = Number.MAX_SAFE_INTEGER,
): Promise<void> {
  const rows = await database.read((session) =>
    session.rows(
      `SELECT DISTINCT page_no FROM recent_extents WHERE ${condition} ORDER BY page_no LIMIT ${int(pageCountMax)}`,
    ),
  )
  for (const chunk of inChunks(rows, PAGES_PER_TRANSACTION)) {
    const pageNos = chunk.map((row) => intOf(row, 'page_no'))
    await database.change((session) => filePages(database.dialect, session, pageNos))
  }
}

/** Likewise of the pages that have any with one of these literals in the column. */
export async function fileAmong(
  database: Database,
  column: 'page_no' | 'segment_id',
  literals: readonly string[],
): Promise<void> {
  for (const chunk of inChunks(literals, LITERALS_PER_STATEMENT)) await fileWhere(database, within(column, chunk))
}

/**
 * Files what commits through this catalog leave, some time after they have answered. What an agent leaves that dies is filed by
 * the next one to commit to the page: of a page that it does not know yet, an agent takes the first commit for the last one of many.
 *
 * Lifecycle: as its catalog; closed before the database is.
 */
export class ExtentFiling {
  readonly #database: Database
  readonly #commitCounts = new Map<number, number>()
  readonly #due = new Set<number>()
  #scheduled: NodeJS.Immediate | undefined
  #running: Promise<void> | undefined
  #isBehind = false
  #isClosed = false

  constructor(database: Database) {
    this.#database = database
  }

  /** A commit has brought extents to these pages. */
  committed(pageNos: Iterable<number>): void {
    for (const pageNo of pageNos) {
      const count = (this.#commitCounts.get(pageNo) ?? RECENT_MAX) + 1
      this.#commitCounts.set(pageNo, count)
      if (count > RECENT_MAX) this.#due.add(pageNo)
      if (count > 2 * RECENT_MAX) this.#isBehind = true
    }
    // The answer of the commit leaves first.
    if (this.#due.size > 0) this.#scheduled ??= setImmediate(() => void this.#start())
  }

  /** For who is about to commit: waits where filing has fallen behind. */
  async keptUp(): Promise<void> {
    if (this.#isBehind) await this.#start()
  }

  /** Files what is due without waiting for its turn; resolves when none is left. */
  settled(): Promise<void> {
    return this.#start()
  }

  /** Ends with the transaction under way. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.settled()
  }

  #start(): Promise<void> {
    clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    let pageNos: number[] = []
    try {
      while (this.#due.size > 0 && !this.#isClosed) {
        pageNos = [...this.#due].slice(0, PAGES_PER_TRANSACTION)
        for (const pageNo of pageNos) this.#countAnew(pageNo)
        await this.#database.change((session) => filePages(this.#database.dialect, session, pageNos))
      }
    } catch (error) {
      if (!isHeadraceError(error)) throw error
      // They are read where they are, and the next commit has them filed.
      for (const pageNo of pageNos) this.#commitCounts.delete(pageNo)
    } finally {
      this.#isBehind = false
    }
  }

  /** From different numbers on, so that pages that are filed together do not come due together again. */
  #countAnew(pageNo: number): void {
    this.#commitCounts.set(pageNo, Math.floor((Math.random() * RECENT_MAX) / 2))
    this.#due.delete(pageNo)
  }
}
