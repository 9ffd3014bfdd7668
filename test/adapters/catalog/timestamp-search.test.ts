import t from 'tap'
import { parseCatalogUrl } from '../../../adapters/catalog/catalog-url.js'
import type { Session } from '../../../adapters/catalog/database.js'
import { SqliteDialect } from '../../../adapters/catalog/sqlite-dialect.js'
import { narrowByTimestamp } from '../../../adapters/catalog/timestamp-search.js'

const place = parseCatalogUrl('sqlite::memory:')
if (place.kind !== 'sqlite') throw new Error('not SQLite')
const dialect = new SqliteDialect(place)

interface LogExtent {
  readonly baseOffset: number
  readonly endOffset: number
  readonly runningMaxTimestampMs: number
}

/** A session that answers probes from a log, which `change` may replace before each statement. */
function sessionOver(logs: ReadonlyMap<number, readonly LogExtent[]>, beforeStatement = () => {}) {
  let statementCount = 0
  const rows: Session['rows'] = async (sql) => {
    beforeStatement()
    statementCount++
    const probes = sql.matchAll(/SELECT (\d+) AS probe[\s\S]*?partition_no = (\d+) AND end_offset > (\d+)/g)
    return [...probes].flatMap(([, probe, partitionNo, offset]) => {
      const found = logs.get(Number(partitionNo))?.find(({ endOffset }) => endOffset > Number(offset))
      if (!found) return []
      const { baseOffset, endOffset, runningMaxTimestampMs } = found
      return [
        {
          probe: Number(probe),
          end_offset: endOffset,
          base_offset: baseOffset,
          running_max_timestamp_ms: runningMaxTimestampMs,
        },
      ]
    })
  }
  return { session: { rows } as Session, statements: () => statementCount }
}

function logOf(extentCount: number, recordsOf: (index: number) => number): LogExtent[] {
  let offset = 0
  return Array.from({ length: extentCount }, (_, index) => {
    const baseOffset = offset
    offset += recordsOf(index)
    return { baseOffset, endOffset: offset, runningMaxTimestampMs: index * 10 }
  })
}

const endOf = (log: readonly LogExtent[]) => log.at(-1)?.endOffset ?? 0

t.test('few extents are left to read, after few statements', async (t) => {
  const shapes: [string, (index: number) => number][] = [
    ['one record each', () => 1],
    ['a hundred each', () => 100],
    ['mixed', (index) => (index % 1000 === 0 ? 10_000 : (index % 7) + 1)],
  ]
  for (const [name, recordsOf] of shapes) {
    const log = logOf(100_000, recordsOf)
    const { session, statements } = sessionOver(new Map([[1, log]]))
    for (const wanted of [0, 1, 50_000, 99_999]) {
      const search = { partitionNo: 1, timestampMs: wanted * 10 - 5, logStartOffset: 0, highWatermark: endOf(log) }
      const before = statements()
      const [from = -1] = await narrowByTimestamp(dialect, session, [search])
      const target = log[wanted]?.endOffset ?? 0
      const left = log.filter(({ endOffset }) => endOffset > from && endOffset <= target).length
      t.ok(left >= 1 && left <= 20_000, `${name}: ${left} extents left`)
      if (name !== 'mixed') t.ok(left <= 300, `${name}: ${left} extents left`)
      t.ok(statements() - before <= 6, `${name}: ${statements() - before} statements`)
    }
  }
})

t.test('a short log needs no statement, many partitions share them', async (t) => {
  const logs = new Map(Array.from({ length: 100 }, (_, number) => [number, logOf(number < 50 ? 100 : 5_000, () => 1)]))
  const { session, statements } = sessionOver(logs)
  const searches = [...logs].map(([partitionNo, log]) => {
    return { partitionNo, timestampMs: 900, logStartOffset: 0, highWatermark: endOf(log) }
  })
  await narrowByTimestamp(dialect, session, searches.slice(0, 50))
  t.equal(statements(), 0)
  const froms = await narrowByTimestamp(dialect, session, searches)
  t.ok(statements() <= 10, `${statements()} statements`)
  t.ok(froms.every((from) => from <= 90))
})

t.test('the bound holds while extents are removed and merged', async (t) => {
  let seed = 1
  const random = (below: number) => {
    seed = (seed * 48271) % 2147483647
    return seed % below
  }
  for (let run = 0; run < 200; run++) {
    const logs = new Map([[1, logOf(4_000, () => 1 + random(3))]])
    const change = () => {
      const log = logs.get(1) ?? []
      const at = random(log.length)
      if (random(3) === 0) logs.set(1, log.slice(random(40)))
      else {
        const merged = log.slice(at, at + 2 + random(300))
        const [first, last] = [merged[0] as LogExtent, merged.at(-1) as LogExtent]
        log.splice(at, merged.length, { ...last, baseOffset: first.baseOffset })
      }
    }
    const highWatermark = endOf(logs.get(1) ?? [])
    const timestampMs = random(40_000)
    const { session } = sessionOver(logs, change)
    const [from = -1] = await narrowByTimestamp(dialect, session, [
      { partitionNo: 1, timestampMs, logStartOffset: 0, highWatermark },
    ])
    const first = logs.get(1)?.find(({ runningMaxTimestampMs }) => runningMaxTimestampMs >= timestampMs)
    if (first && first.endOffset <= from)
      t.fail(`run ${run}: the first extent ends at ${first.endOffset}, not after ${from}`)
  }
})
