import { parseArgs } from 'node:util'
import { embedded, scaleOut, type Teardown } from '../support/store-pairs.js'
import { measureMergeSpeed } from './merge-speed.js'
import { faultsOf, mib, runSoak } from './run.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    partitions: { type: 'string', default: '300' },
    stores: { type: 'string', default: 'scale-out' },
  },
})
const ends: (() => void | Promise<void>)[] = []
const teardown: Teardown = { teardown: (end) => void ends.unshift(end) }
try {
  const report = await runSoak(teardown, {
    loadMs: Number(values.minutes) * 60_000,
    partitionCount: Number(values.partitions),
    retentionMs: 15_000,
    untilForgotten: true,
    stores: values.stores === 'embedded' ? embedded : scaleOut,
    progress: (line) => console.log(line),
  })
  const { log, series } = report
  const read = series.get('compaction_read_bytes_total') ?? 0
  const written = series.get('compaction_written_bytes_total') ?? 0
  const { mergeMibPerSecond, lz4MibPerSecond } = await measureMergeSpeed()
  const faults = faultsOf(report)
  console.log(
    [
      `produced ${mib(log.producedBytes)} MiB, replayed ${mib(log.replayedBytes)} MiB in ${log.replayCount} replays`,
      `${series.get('compactions_total')} compactions read ${mib(read)} MiB and wrote ${mib(written)} MiB`,
      `${series.get('objects_deleted_total')} objects deleted, ${series.get('orphans_found_total')} orphans found`,
      `merging: ${mergeMibPerSecond.toFixed(0)} MiB/s of batches on one core; LZ4 alone: ${lz4MibPerSecond.toFixed(0)} MiB/s`,
      ...faults.map((fault) => `FAULT: ${fault}`),
      faults.length === 0 ? 'nothing was left, lost or changed' : `${faults.length} faults`,
    ].join('\n'),
  )
  process.exitCode = faults.length > 0 ? 1 : 0
} finally {
  for (const end of ends) await end()
}
