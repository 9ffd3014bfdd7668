import { type CurvePoint, type Measurement, median } from './measurement.js'
import { rounded } from './report.js'

const BAR_WIDTH = 380
const BAR_HEIGHT = 18
const CURVE = { width: 270, height: 190, left: 52, right: 26, top: 8, bottom: 34 }
const COLOR = { value: '#3b7ea1', limit: '#8aa0b4', limitFill: '#eef3f7', target: '#c2571a', text: '#1b2733' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** The median as a bar, the limit as a frame behind it, repetitions as a line over it, the target as a mark. */
export function drawBar(measurement: Measurement, greatest: number): string {
  const { values, limit } = measurement
  const x = (value: number) =>
    (Number.isFinite(value) ? Math.min(BAR_WIDTH, (BAR_WIDTH * value) / greatest) : 0).toFixed(1)
  const rect = (value: number, paint: string) => `<rect y="2" width="${x(value)}" height="14" ${paint}/>`
  const frame =
    limit === undefined ? '' : rect(median(limit.values), `fill="${COLOR.limitFill}" stroke="${COLOR.limit}"`)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const spread =
    values.length > 1
      ? `<path d="M${x(least)} 6v6M${x(least)} 9H${x(most)}M${x(most)} 6v6" stroke="${COLOR.text}" fill="none"/>`
      : ''
  const aim = targetValue(measurement)
  const mark =
    aim === undefined || aim > greatest ? '' : `<path d="M${x(aim)} 0v18" stroke="${COLOR.target}" stroke-width="2"/>`
  const bar = rect(median(values), `fill="${COLOR.value}"`)
  return `<svg width="${BAR_WIDTH + 2}" height="${BAR_HEIGHT}" viewBox="-1 0 ${BAR_WIDTH + 2} ${BAR_HEIGHT}">${frame}${bar}${spread}${mark}</svg>`
}

/** In the row's unit. */
function targetValue({ target, limit }: Measurement): number | undefined {
  const bound = target?.atLeast ?? target?.atMost
  if (target === undefined || bound === undefined) return undefined
  if (target.of === 'value') return bound
  return limit === undefined ? undefined : bound * median(limit.values)
}

/** Both axes logarithmic; dashed what is expected from the first point on: as the size grows, or not at all. */
export function drawCurve(rows: readonly Measurement[]): string {
  const points = rows.map(({ curve, values }) => ({ size: curve!.size, value: Math.max(1e-3, median(values)) }))
  const { quantity, dimension, expected } = rows[0]!.curve as CurvePoint
  const first = points[0]!
  const expectedAt = (size: number) => (expected === 'linear' ? (first.value * size) / first.size : first.value)
  const shown = points.flatMap(({ size, value }) => [value, expectedAt(size)])
  const [low, high] = [Math.min(...shown) / 1.5, Math.max(...shown) * 1.5]
  const [from, to] = [first.size, Math.max(first.size * 10, ...points.map(({ size }) => size))]
  const { width, height, left, right, top, bottom } = CURVE
  const along = (value: number, least: number, most: number) => Math.log(value / least) / Math.log(most / least)
  const x = (size: number) => (left + (width - left - right) * along(size, from, to)).toFixed(1)
  const y = (value: number) => (height - bottom - (height - top - bottom) * along(value, low, high)).toFixed(1)
  const line = (valueAt: (point: { size: number; value: number }) => number) =>
    points.map((point, number) => `${number === 0 ? 'M' : 'L'}${x(point.size)} ${y(valueAt(point))}`).join('')
  const dots = points.map(
    ({ size, value }) =>
      `<circle cx="${x(size)}" cy="${y(value)}" r="3.5" fill="${COLOR.value}"/>` +
      `<text x="${x(size)}" y="${height - 18}" text-anchor="middle">${size.toLocaleString('en-US')}</text>` +
      `<text x="${left - 6}" y="${Number(y(value)) + 4}" text-anchor="end">${rounded(value)}</text>`,
  )
  return `<figure><figcaption>${escapeHtml(quantity)}, ${escapeHtml(rows[0]!.unit)}</figcaption>
<svg width="${width}" height="${height}"><path d="M${left} ${top}V${height - bottom}H${width - right}" stroke="${COLOR.limit}" fill="none"/>
<path d="${line(({ size }) => expectedAt(size))}" stroke="${COLOR.target}" stroke-dasharray="4 4" fill="none"/>
<path d="${line(({ value }) => value)}" stroke="${COLOR.value}" stroke-width="2" fill="none"/>${dots.join('')}
<text x="${(left + width - right) / 2}" y="${height - 3}" text-anchor="middle">${escapeHtml(dimension)}; dashed: ${expected}</text></svg></figure>`
}
