import { type CurvePoint, type Measurement, median } from './measurement.js'

/** What was measured at one size of a thing that grows. */
export interface GrowthPoint {
  readonly size: number
  readonly values: readonly number[]
}

export interface Growth extends Omit<CurvePoint, 'size'> {
  readonly unit: string
  readonly settings: string
  readonly points: readonly GrowthPoint[]
}

/**
 * A row per size, and one for each step to the next: by how much the value grew per tenfold of the size, beside what it would be
 * if it grew as the size does (10) or not at all (1).
 */
export function growthRows({ quantity, dimension, expected, unit, settings, points }: Growth): Measurement[] {
  const row = { benchmark: 'scale', settings }
  const values = points.map(
    ({ size, values }): Measurement => ({
      ...row,
      case: `${quantity}, ${count(size)} ${dimension}`,
      unit,
      values,
      curve: { quantity, dimension, size, expected },
    }),
  )
  const steps = points.slice(1).map((to, number): Measurement => {
    const from = points[number]!
    const limit = { name: expected, values: [expected === 'linear' ? 10 : 1] }
    const factor = perTenfold(from.size, median(from.values), to.size, median(to.values))
    return {
      ...row,
      case: `${quantity}, ${count(from.size)} to ${count(to.size)} ${dimension}`,
      unit: 'x per tenfold',
      values: [factor],
      limit,
    }
  })
  return [...values, ...steps]
}

/** The factor by which a power law through both points grows per tenfold of its argument. */
export function perTenfold(fromSize: number, from: number, toSize: number, to: number): number {
  return (to / from) ** (1 / Math.log10(toSize / fromSize))
}

function count(size: number): string {
  return size.toLocaleString('en-US')
}
