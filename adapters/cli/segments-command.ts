import { Command, InvalidArgumentError } from 'commander'
import type { Catalog } from '../../engine/ports/catalog.js'
import type { SegmentInfo, SegmentTotal } from '../../engine/ports/jobs-catalog.js'
import { onStores, type StoresEnvironment, withSettings } from './stores.js'
import { table } from './table.js'

interface Flags {
  readonly list?: boolean
  readonly level?: number
  readonly json?: boolean
}

const SEGMENTS_PER_PAGE = 500

/** A live segment with what is still wanted of it. */
interface ListedSegment extends SegmentInfo {
  readonly liveBytes: number
}

/** `headrace segments`: what the catalog knows of segments, by state and level. */
export function segmentsCommand(environment: StoresEnvironment): Command {
  const { write } = environment
  const command = new Command('segments').description('show segments by state and level, with their dead bytes')
  return withSettings(command, ['catalog'])
    .option('--list', 'every live segment')
    .option('--level <number>', 'only live segments of this level', levelNumber)
    .option('--json', 'one JSON object per line')
    .action((flags: Flags) =>
      onStores(environment, { ...flags, level: undefined }, async ({ catalog }) => {
        const totals = await catalog.segmentTotals()
        const levels = totals.filter(({ state, level }) => state === 'live' && (flags.level ?? level) === level)
        const listsEach = flags.list === true || flags.level !== undefined
        const liveBytes = new Map<number, number>()
        if (listsEach && flags.json !== true) write(table([HEADING]))
        for (const { level } of levels) {
          for await (const segment of liveSegments(catalog, level)) {
            liveBytes.set(level, (liveBytes.get(level) ?? 0) + segment.liveBytes)
            if (listsEach) write(flags.json === true ? `${JSON.stringify(segment)}\n` : table([segmentRow(segment)]))
          }
        }
        if (!listsEach) write(flags.json === true ? totalsJson(totals, liveBytes) : totalsTable(totals, liveBytes))
      }),
    )
}

async function* liveSegments(catalog: Catalog, level: number): AsyncGenerator<ListedSegment> {
  for (let after: string | undefined; ; ) {
    const request = { level, limit: SEGMENTS_PER_PAGE, ...(after === undefined ? {} : { after }) }
    const page = await catalog.liveSegments(request)
    const uses = await catalog.liveUseOf(page.map(({ segmentId }) => segmentId))
    for (const [index, segment] of page.entries()) {
      // Two extents may share a block.
      yield { ...segment, liveBytes: Math.min(segment.objectBytes, uses[index]?.bytes ?? 0) }
    }
    if (page.length < SEGMENTS_PER_PAGE) return
    after = page.at(-1)?.segmentId
  }
}

const HEADING = [
  'SEGMENT'.padEnd(36),
  'LEVEL',
  'BYTES'.padEnd(12),
  'DEAD BYTES'.padEnd(12),
  'EXTENTS'.padEnd(8),
  'COMMITTED',
]

function segmentRow(segment: ListedSegment): string[] {
  return [
    segment.segmentId,
    String(segment.level).padEnd(5),
    String(segment.objectBytes).padEnd(12),
    String(segment.objectBytes - segment.liveBytes).padEnd(12),
    String(segment.liveExtentCount).padEnd(8),
    new Date(segment.committedAtMs).toISOString(),
  ]
}

/** What is not live in a live object: tombstones, expired data, index; all of an object that is dead. */
function deadBytesOf(total: SegmentTotal, liveBytes: ReadonlyMap<number, number>): number {
  if (total.state === 'deleted') return 0
  return total.objectBytes - (total.state === 'live' ? (liveBytes.get(total.level) ?? 0) : 0)
}

function totalsTable(totals: readonly SegmentTotal[], liveBytes: ReadonlyMap<number, number>): string {
  if (totals.length === 0) return 'There are no segments.\n'
  return table([
    ['STATE', 'LEVEL', 'SEGMENTS', 'BYTES', 'DEAD BYTES', 'DEAD FOR'],
    ...totals.map((total) => [
      total.state,
      String(total.level),
      String(total.segmentCount),
      // Their objects are gone; the rows stay until no commit can ask for them.
      String(total.state === 'deleted' ? 0 : total.objectBytes),
      String(deadBytesOf(total, liveBytes)),
      total.state === 'dead' ? `${Math.round(total.deadForMs / 1000)} s` : '-',
    ]),
  ])
}

function totalsJson(totals: readonly SegmentTotal[], liveBytes: ReadonlyMap<number, number>): string {
  return totals.map((total) => `${JSON.stringify({ ...total, deadBytes: deadBytesOf(total, liveBytes) })}\n`).join('')
}

function levelNumber(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('a level is a number from 0 on')
}
