/**
 * `npm run bench:compare [-- BEFORE AFTER]`: what moved between two results, by default the newest baseline and the newest
 * result. Absolute numbers of different machines do not compare; ratios to limits measured in the same run do.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BETTER_WHEN_HIGHER, type Measurement, median, ratioOf } from './measurement.js'
import { BASELINES, RESULTS, type Report, renderTable, rounded } from './report.js'

/** Smaller differences are the machine's noise. */
const NOISE = 0.1

const [before, after] = [process.argv[2] ?? newest(BASELINES), process.argv[3] ?? newest(RESULTS)].map(read)
if (before === undefined || after === undefined) {
  console.error('nothing to compare: run `npm run bench` first, and keep a result in bench/baselines/')
  process.exit(1)
}
console.log(`before: ${before.measuredAt}, ${before.machine}\nafter:  ${after.measuredAt}, ${after.machine}\n`)
console.log(renderTable(['benchmark', 'case', 'before', 'after', 'unit', 'change', 'ratio', ''], rows(before, after)))

function rows(from: Report, to: Report): readonly (readonly string[])[] {
  const key = (measurement: Measurement) => `${measurement.benchmark}/${measurement.case}/${measurement.unit}`
  const old = new Map(from.measurements.map((measurement) => [key(measurement), measurement]))
  return to.measurements.flatMap((measurement) => {
    const previous = old.get(key(measurement))
    if (previous === undefined) return []
    const [was, is] = [median(previous.values), median(measurement.values)]
    const change = was === 0 ? 0 : is / was - 1
    const ratios = [ratioOf(previous), ratioOf(measurement)].map((ratio) => ratio?.toFixed(2) ?? '')
    return [
      [
        measurement.benchmark,
        measurement.case,
        rounded(was),
        rounded(is),
        measurement.unit,
        `${change >= 0 ? '+' : ''}${(100 * change).toFixed(0)}%`,
        ratios[0] === '' ? '' : ratios.join(' -> '),
        verdict(change, measurement.unit),
      ],
    ]
  })
}

function verdict(change: number, unit: string): string {
  if (Math.abs(change) < NOISE) return ''
  return change > 0 === BETTER_WHEN_HIGHER.has(unit) ? 'better' : 'worse'
}

function newest(directory: string): string | undefined {
  if (!existsSync(directory)) return undefined
  const files = readdirSync(directory).filter((name) => name.endsWith('.json'))
  const dated = files.map((name) => join(directory, name)).map((file) => ({ file, at: read(file)?.measuredAt ?? '' }))
  return dated.sort((a, b) => (a.at < b.at ? 1 : -1))[0]?.file
}

function read(file: string | undefined): Report | undefined {
  return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as Report)
}
