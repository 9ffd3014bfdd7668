import { writeFileSync } from 'node:fs'
import { type Measurement, median, ratioOf } from './measurement.js'
import { type Report, rounded } from './report.js'

const BAR_PIXELS = 420

/** A page with a bar for each measurement, and its limit behind it. Answers the file's path. */
export function writeCharts(report: Report, file: string): string {
  const names = [...new Set(report.measurements.map(({ benchmark }) => benchmark))]
  const sections = names.map((name) =>
    section(
      name,
      report.measurements.filter(({ benchmark }) => benchmark === name),
    ),
  )
  const title = `Headrace benchmarks, ${report.measuredAt}`
  writeFileSync(
    file,
    `<!doctype html><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 2em; color: #1b2733 }
td { padding: 2px 12px 2px 0; vertical-align: middle } td.number { text-align: right; font-variant-numeric: tabular-nums }
small { color: #5a6b7b }
</style>
<h1>${escapeHtml(title)}</h1><p>${escapeHtml(`${report.machine}; Node ${report.node}`)}</p>
${sections.join('\n')}
`,
  )
  return file
}

function section(name: string, measurements: readonly Measurement[]): string {
  // Bars are comparable within a unit.
  const greatest = new Map<string, number>()
  for (const { unit, values, limit } of measurements) {
    greatest.set(
      unit,
      Math.max(greatest.get(unit) ?? 0, median(values), limit === undefined ? 0 : median(limit.values)),
    )
  }
  const rows = measurements.map((measurement) => row(measurement, greatest.get(measurement.unit) || 1))
  return `<h2>${escapeHtml(name)}</h2><table>${rows.join('\n')}</table>`
}

function row(measurement: Measurement, greatest: number): string {
  const { case: name, unit, values, limit, settings } = measurement
  const width = (value: number) => Math.max(1, Math.round((BAR_PIXELS * value) / greatest))
  const value = median(values)
  const ratio = ratioOf(measurement)
  const bound =
    limit === undefined ? '' : `<rect width="${width(median(limit.values))}" height="16" fill="none" stroke="#8aa0b4"/>`
  const ratioText = ratio === undefined || limit === undefined ? '' : `${ratio.toFixed(2)} of ${limit.name}`
  return `<tr><td>${escapeHtml(name)}<br><small>${escapeHtml(settings)}</small></td>
<td><svg width="${BAR_PIXELS + 2}" height="18"><rect width="${width(value)}" height="16" fill="#3b7ea1"/>${bound}</svg></td>
<td class="number">${rounded(value)} ${escapeHtml(unit)}</td><td>${escapeHtml(ratioText)}</td></tr>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
