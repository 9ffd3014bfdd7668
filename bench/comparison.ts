import { BETTER_WHEN_HIGHER, type Measurement, median, ratioOf } from './measurement.js'

/** Smaller differences are the machine's noise, however alike the repetitions of one run were. */
const NOISE = 0.1

export interface Change {
  readonly before: Measurement
  readonly after: Measurement
  /** Of the medians: 0.1 is a tenth more. */
  readonly change: number
  /** Changes up to this are within what repetitions differ by. */
  readonly margin: number
  readonly verdict: 'better' | 'worse' | ''
}

/** Rows that are in both, in the order of `after`. */
export function compareMeasurements(before: readonly Measurement[], after: readonly Measurement[]): readonly Change[] {
  const key = (measurement: Measurement) => `${measurement.benchmark}/${measurement.case}/${measurement.unit}`
  const known = new Map(before.map((measurement) => [key(measurement), measurement]))
  return after.flatMap((measurement) => {
    const previous = known.get(key(measurement))
    return previous === undefined ? [] : [changeOf(previous, measurement)]
  })
}

function changeOf(before: Measurement, after: Measurement): Change {
  const [was, is] = [median(before.values), median(after.values)]
  const change = was === is ? 0 : is / was - 1
  const margin = Math.max(NOISE, spreadOf(before) / 2 + spreadOf(after) / 2)
  const moved = Math.abs(change) > margin
  const verdict = !moved ? '' : change > 0 === BETTER_WHEN_HIGHER.has(after.unit) ? 'better' : 'worse'
  return { before, after, change, margin, verdict }
}

/** Between the least and the greatest repetition, as a share of the median. */
function spreadOf({ values }: Measurement): number {
  const middle = median(values)
  return middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle
}

export function describeRatios({ before, after }: Change): string {
  const ratios = [before, after].map((measurement) => ratioOf(measurement)?.toFixed(2) ?? '')
  return ratios.every((ratio) => ratio === '') ? '' : ratios.join(' -> ')
}
