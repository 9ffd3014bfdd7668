/** What was measured of one case: one row of the report. */
export interface Measurement {
  readonly benchmark: string
  readonly case: string
  /** `MiB/s`, `ms`, `records/s`, …; `BETTER_WHEN_HIGHER` says which way is good. */
  readonly unit: string
  /** One per repetition. */
  readonly values: readonly number[]
  /** What bounds it, measured in the same run. */
  readonly limit?: Limit
  /** What it should be, where the project has set itself an aim. */
  readonly target?: Target
  /** A point of a curve: how a quantity grows with a size. Rows of one curve make one chart. */
  readonly curve?: CurvePoint
  /** What one must know to measure it again. */
  readonly settings: string
}

export interface Limit {
  readonly name: string
  /** One per repetition, measured right beside it, where that is possible; else one for all. */
  readonly values: readonly number[]
}

/** A bound of the ratio to the limit, or of the value itself. */
export interface Target {
  readonly of: 'ratio' | 'value'
  readonly atLeast?: number
  readonly atMost?: number
}

export interface CurvePoint {
  /** `commit time`. */
  readonly quantity: string
  /** `partitions`. */
  readonly dimension: string
  readonly size: number
  readonly expected: 'linear' | 'constant'
}

/** Units of which more is better; of all others less is. */
export const BETTER_WHEN_HIGHER: ReadonlySet<string> = new Set(['MiB/s', 'records/s', 'partitions/s', 'MiB/core-s'])

const MIB = 2 ** 20

export function mibPerS(bytes: number, durationMs: number): number {
  return bytes / MIB / (durationMs / 1000)
}

/** The value below which `fraction` of `sorted` lies. */
export function percentile(sorted: ArrayLike<number>, fraction: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return percentile(Float64Array.from(values).sort(), 0.5)
}

/** Share of the limit that was reached: the median over pairs measured side by side, which noise meets alike. */
export function ratioOf({ values, limit }: Pick<Measurement, 'values' | 'limit'>): number | undefined {
  if (limit === undefined) return undefined
  return median(values.map((value, repetition) => value / (limit.values[repetition] ?? limit.values[0] ?? Number.NaN)))
}

/** Undefined where there is no target. */
export function targetMet(measurement: Pick<Measurement, 'values' | 'limit' | 'target'>): boolean | undefined {
  const { target } = measurement
  if (target === undefined) return undefined
  const reached = (target.of === 'ratio' ? ratioOf(measurement) : median(measurement.values)) ?? Number.NaN
  return (
    reached >= (target.atLeast ?? Number.NEGATIVE_INFINITY) && reached <= (target.atMost ?? Number.POSITIVE_INFINITY)
  )
}

/** `>= 0.85: met`. */
export function describeTarget(measurement: Pick<Measurement, 'values' | 'limit' | 'target'>): string {
  const { target } = measurement
  if (target === undefined) return ''
  const bounds = [
    target.atLeast === undefined ? [] : `>= ${target.atLeast}`,
    target.atMost === undefined ? [] : `<= ${target.atMost}`,
  ]
  return `${bounds.flat().join(', ')}: ${targetMet(measurement) ? 'met' : 'missed'}`
}

/** Runs per second of `run`, measured for `durationMs` after a warm-up. */
export function runsPerS(run: () => void, durationMs: number): number {
  for (let warmup = 0; warmup < 5; warmup++) run()
  const startedAtMs = performance.now()
  let runs = 0
  do {
    run()
    runs++
  } while (performance.now() - startedAtMs < durationMs)
  return runs / ((performance.now() - startedAtMs) / 1000)
}
