/**
 * `npm run bench:compare [-- BEFORE AFTER]`: what moved between two results, by default the newest baseline and the newest
 * result. What repetitions of either run differ by is noise. Absolute numbers of different machines do not compare; ratios to limits measured in the same run do.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Change, compareMeasurements, describeRatios } from './comparison.js'
import { median } from './measurement.js'
import { BASELINES, RESULTS, type Report, renderHeader, renderTable, rounded } from './report.js'

const [before, after] = [process.argv[2] ?? newest(BASELINES), process.argv[3] ?? newest(RESULTS)].map(read)
if (before === undefined || after === undefined) {
  console.error('nothing to compare: run `npm run bench` first, and keep a result in bench/baselines/')
  process.exit(1)
}
console.log(`before: ${renderHeader(before)}\nafter:  ${renderHeader(after)}\n`)
if (before.machine !== after.machine) console.log('different machines: compare ratios to limits, not values\n')
const changes = compareMeasurements(before.measurements, after.measurements)
console.log(
  renderTable(['benchmark', 'case', 'before', 'after', 'unit', 'change', 'noise', 'ratio', ''], changes.map(row)),
)
const moved = (verdict: string) => changes.filter((change) => change.verdict === verdict).length
console.log(
  `\n${changes.length} rows in both: ${moved('better')} better, ${moved('worse')} worse, the others within noise`,
)

function row(change: Change): readonly string[] {
  const { benchmark, case: name, unit } = change.after
  return [
    benchmark,
    name,
    rounded(median(change.before.values)),
    rounded(median(change.after.values)),
    unit,
    `${change.change >= 0 ? '+' : ''}${(100 * change.change).toFixed(0)}%`,
    `${(100 * change.margin).toFixed(0)}%`,
    describeRatios(change),
    change.verdict,
  ]
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
