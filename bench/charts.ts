import { writeFileSync } from 'node:fs'
import { drawBar, drawCurve, escapeHtml } from './chart-shapes.js'
import { describeTarget, type Measurement, median, ratioOf, targetMet } from './measurement.js'
import { type Report, renderHeader, rounded } from './report.js'

const TITLES: Readonly<Record<string, string>> = {
  crc: 'CRC32C',
  lz4: 'LZ4',
  encode: 'Encoding a segment, one thread',
  engine: 'The engine, without a network',
  agent: 'A whole agent over TCP',
  latency: 'Latency at a steady rate',
  'end-to-end': 'From sending a record to having it',
  commit: 'Commit',
  fetch: 'Reading',
  scale: 'Growth, ten times at a time',
  cost: 'What the object store charges',
}
const STYLE = `
body { font: 14px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1180px; padding: 0 1em; color: #1b2733 }
h1 { margin-bottom: 0 } h2 { margin: 2.2em 0 .2em; border-bottom: 2px solid #d5dee6 } h3 { margin: 1.4em 0 .3em; font-size: 14px; color: #5a6b7b }
table { border-collapse: collapse; width: 100% } td { padding: 4px 14px 4px 0; vertical-align: middle; border-bottom: 1px solid #edf1f4 }
td.case { width: 36% } td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
small { color: #6b7c8c } .met { color: #1c7c4a } .missed { color: #b3362b; font-weight: 600 }
.curves { display: flex; flex-wrap: wrap; gap: 18px } figure { margin: 0 } figcaption { font-weight: 600 } svg text { font: 11px system-ui, sans-serif; fill: #5a6b7b }
.legend span { margin-right: 1.6em } .legend i { display: inline-block; width: 18px; height: 10px; margin-right: 5px }`
const LEGEND = `<p class="legend"><span><i style="background:#3b7ea1"></i>median</span>
<span><i style="border-bottom:2px solid #1b2733;height:4px"></i>least to greatest repetition</span>
<span><i style="border:1px solid #8aa0b4;background:#eef3f7"></i>its limit, measured in the same run</span>
<span><i style="width:2px;background:#c2571a"></i>target</span></p>`

/** A page with a bar for each measurement, its limit behind it and its target as a line; curves for what grows. Answers its path. */
export function writeCharts(report: Report, file: string): string {
  const names = [...new Set(report.measurements.map(({ benchmark }) => benchmark))]
  const sections = names.map((name) =>
    section(
      TITLES[name] ?? name,
      report.measurements.filter(({ benchmark }) => benchmark === name),
    ),
  )
  const title = `Headrace benchmarks, ${report.measuredAt.slice(0, 10)}`
  writeFileSync(
    file,
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(title)}</title>
<style>${STYLE}
</style>
<h1>${escapeHtml(title)}</h1><p>${escapeHtml(renderHeader(report))}</p>
${targets(report.measurements)}${LEGEND}
${sections.join('\n')}
</html>
`,
  )
  return file
}

function targets(measurements: readonly Measurement[]): string {
  const aimed = measurements.filter(({ target }) => target !== undefined)
  const met = aimed.filter((measurement) => targetMet(measurement)).length
  return aimed.length === 0 ? '' : `<p><b>${met} of ${aimed.length}</b> targets met.</p>`
}

/** Bars are comparable within a unit, so each unit has a table and a scale of its own. */
function section(title: string, measurements: readonly Measurement[]): string {
  const curves = groupCurves(measurements)
  const bars = measurements.filter(({ curve }) => curve === undefined)
  const units = [...new Set(bars.map(({ unit }) => unit))]
  const tables = units.map((unit) => {
    const rows = bars.filter((measurement) => measurement.unit === unit)
    const greatest = Math.max(...rows.map(extentOf)) || 1
    return `<h3>${escapeHtml(unit)}</h3><table>${rows.map((row) => tableRow(row, greatest)).join('\n')}</table>`
  })
  const figures = curves.length === 0 ? '' : `<div class="curves">${curves.map(drawCurve).join('\n')}</div>`
  return `<h2>${escapeHtml(title)}</h2>${figures}${tables.join('\n')}`
}

function groupCurves(measurements: readonly Measurement[]): readonly Measurement[][] {
  const groups = new Map<string, Measurement[]>()
  for (const measurement of measurements) {
    if (measurement.curve === undefined) continue
    const key = `${measurement.curve.quantity}/${measurement.curve.dimension}`
    groups.set(key, [...(groups.get(key) ?? []), measurement])
  }
  return [...groups.values()]
}

function extentOf({ values, limit }: Measurement): number {
  return Math.max(0, ...[...values, ...(limit?.values ?? [])].filter(Number.isFinite))
}

function tableRow(measurement: Measurement, greatest: number): string {
  const { case: name, unit, values, limit, settings } = measurement
  const ratio = ratioOf(measurement)
  const ratioText = ratio === undefined || limit === undefined ? '' : `${ratio.toFixed(2)} of ${limit.name}`
  const met = targetMet(measurement)
  const target =
    met === undefined
      ? ''
      : `<br><span class="${met ? 'met' : 'missed'}">${escapeHtml(describeTarget(measurement))}</span>`
  return `<tr><td class="case">${escapeHtml(name)}<br><small>${escapeHtml(settings)}</small></td>
<td>${drawBar(measurement, greatest)}</td>
<td class="number">${rounded(median(values))} ${escapeHtml(unit)}</td><td>${escapeHtml(ratioText)}${target}</td></tr>`
}
