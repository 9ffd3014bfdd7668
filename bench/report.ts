import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** One line of the table. Absent numbers were not measured in that case. */
export interface Measurement {
  readonly benchmark: string
  readonly case: string
  readonly mibPerS?: number
  readonly recordsPerS?: number
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly note: string
}

export interface Report {
  readonly machine: string
  readonly node: string
  readonly measuredAt: string
  readonly measurements: readonly Measurement[]
}

const MIB = 2 ** 20
const HEADINGS = ['benchmark', 'case', 'MiB/s', 'records/s', 'p50 ms', 'p99 ms', 'settings']

export function describeMachine(): string {
  const cores = cpus()
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return `${cores.length} x ${cores[0]?.model.trim() ?? 'unknown processor'}, ${memoryGib} GiB, ${process.platform} ${process.arch}`
}

export function mibPerS(bytes: number, durationMs: number): number {
  return bytes / MIB / (durationMs / 1000)
}

/** The value below which `fraction` of `sorted` lies. */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN
}

export function renderTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map((m) => [
    m.benchmark,
    m.case,
    rounded(m.mibPerS),
    rounded(m.recordsPerS),
    rounded(m.p50Ms),
    rounded(m.p99Ms),
    m.note,
  ])
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => (isNumeric(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
  return [HEADINGS, widths.map((width) => '-'.repeat(width)), ...rows]
    .map((cells) => line(cells).join('  ').trimEnd())
    .join('\n')
}

function isNumeric(column: number): boolean {
  return column >= 2 && column <= 5
}

function rounded(value: number | undefined): string {
  if (value === undefined) return ''
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

/** Writes the report into `bench/results/`, which is not kept in the repository; answers the file's path. */
export function writeReport(report: Report): string {
  const directory = fileURLToPath(new URL('../../bench/results/', import.meta.url))
  mkdirSync(directory, { recursive: true })
  const file = `${directory}${report.measuredAt.replaceAll(':', '-')}.json`
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  return file
}
