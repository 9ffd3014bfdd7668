import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeTarget, type Measurement, median, ratioOf, targetMet } from './measurement.js'

/** One run of benchmarks, as it is kept. */
export interface Report {
  readonly machine: string
  readonly node: string
  /** Load averages when the run began: what else the machine did. Absent from results of earlier versions. */
  readonly load?: string
  readonly measuredAt: string
  readonly measurements: readonly Measurement[]
}

const HEADINGS = ['benchmark', 'case', 'median', 'unit', 'min - max', 'ratio', 'of', 'target', 'settings']
const NUMERIC = new Set(['median', 'ratio'])

/** `bench/` of the checkout; this file runs from `dist/bench/`. */
const BENCH = fileURLToPath(new URL('../../bench/', import.meta.url))
/** Results of runs here; not kept in the repository. */
export const RESULTS = `${BENCH}results/`
/** Results worth comparing with; kept. */
export const BASELINES = `${BENCH}baselines/`

export function newReport(measurements: readonly Measurement[], load: string): Report {
  const measuredAt = new Date().toISOString()
  return { machine: describeMachine(), node: process.version, load, measuredAt, measurements }
}

/** Over 1, 5 and 15 minutes: ask before measuring. */
export function describeLoad(): string {
  return loadavg()
    .map((value) => value.toFixed(2))
    .join(' ')
}

export function renderHeader({ machine, node, load, measuredAt }: Omit<Report, 'measurements'>): string {
  return `${machine}; Node ${node}; load average at the start ${load ?? 'unknown'}; ${measuredAt}`
}

/** How many rows have a target, and which of them missed it. */
export function renderTargets(measurements: readonly Measurement[]): string {
  const aimed = measurements.filter(({ target }) => target !== undefined)
  if (aimed.length === 0) return ''
  const missed = aimed.filter((measurement) => !targetMet(measurement))
  const list = missed.map((one) => `\n  missed: ${one.benchmark}, ${one.case}: ${describeTarget(one)}`)
  return `targets: ${aimed.length - missed.length} of ${aimed.length} met${list.join('')}\n`
}

function describeMachine(): string {
  const cores = cpus()
  const memoryGib = Math.round(totalmem() / 2 ** 30)
  return `${cores.length} x ${cores[0]?.model.trim() ?? 'unknown processor'}, ${memoryGib} GiB, ${process.platform} ${process.arch}`
}

export function renderReport(report: Report): string {
  const { measurements } = report
  const table = renderTable(HEADINGS, measurements.map(rowOf))
  return `${renderHeader(report)}\n\n${table}\n\n${renderTargets(measurements)}`
}

function rowOf(measurement: Measurement): readonly string[] {
  const { benchmark, case: name, unit, values, limit, settings } = measurement
  const ratio = ratioOf(measurement)
  return [
    benchmark,
    name,
    rounded(median(values)),
    unit,
    values.length > 1 ? `${rounded(Math.min(...values))} - ${rounded(Math.max(...values))}` : '',
    ratio === undefined ? '' : ratio.toFixed(2),
    limit === undefined ? '' : `${limit.name} ${rounded(median(limit.values))}`,
    describeTarget(measurement),
    settings,
  ]
}

/** Columns wide enough for their widest cell; those named in `NUMERIC` to the right. */
export function renderTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]) =>
    cells.map((cell, column) => {
      const width = widths[column] ?? 0
      return NUMERIC.has(headings[column] ?? '') ? cell.padStart(width) : cell.padEnd(width)
    })
  return [headings, widths.map((width) => '-'.repeat(width)), ...rows]
    .map((cells) => line(cells).join('  ').trimEnd())
    .join('\n')
}

export function rounded(value: number): string {
  if (!Number.isFinite(value)) return '?'
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

/** Answers the file's path. */
export function writeReport(report: Report): string {
  const file = `${RESULTS}${report.measuredAt.replaceAll(':', '-')}.json`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  return file
}
