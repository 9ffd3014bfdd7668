import { randomUUID } from 'node:crypto'
import { Command } from 'commander'
import { HeadraceError } from '../../engine/errors.js'
import { CompactionJob, type Job } from '../../engine/jobs/index.js'
import { type JobCounter, NO_JOB_METRICS } from '../../engine/ports/job-metrics.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import { type OpenedStores, onStores, type StoresEnvironment, withSettings } from './stores.js'

const STORES = ['catalog', 'objectStore'] as const
const READ_BYTES_MAX = 64 * 1024 * 1024

/** `headrace compact`, `sweep` and `verify`: background work by hand, beside agents or without them. */
export function jobCommands(environment: StoresEnvironment): Command[] {
  return [compactCommand(environment), sweepCommand(environment), verifyCommand(environment)]
}

function compactCommand(environment: StoresEnvironment): Command {
  const command = new Command('compact').description('merge small segments into larger ones, as agents do')
  return withSettings(command, [...STORES, 'compactionFanIn', 'compactionBytes', 'compactionDelay', 'commitAgeMax'])
    .requiredOption('--once', 'until nothing is left that is worth merging now, then end')
    .action((flags) =>
      onStores(environment, { ...flags, once: undefined }, async (stores) => environment.write(await compact(stores))),
    )
}

async function compact({ config, catalog, objectStore }: OpenedStores): Promise<string> {
  const { jobsOptions, openMerger } = await import('../background-jobs.js')
  const counts = new Map<JobCounter, number>()
  const count = (counter: JobCounter, increment: number) => counts.set(counter, (counts.get(counter) ?? 0) + increment)
  const merger = openMerger(config, objectStore)
  const metrics = { ...NO_JOB_METRICS, count }
  try {
    const { compaction, ...ports } = jobsOptions(config, {
      catalog,
      objectStore,
      merger,
      metrics,
      logger: NO_LOGGER,
      holder: randomUUID(),
      readBytesMax: READ_BYTES_MAX,
    })
    const { intervalMs, readBytesMax, ...limits } = compaction
    await runOut(new CompactionJob({ ...ports, intervalMs, readBytesMax, limits }))
  } finally {
    await merger.close()
  }
  const of = (counter: JobCounter) => counts.get(counter) ?? 0
  if (of('compactions_failed') > 0) {
    const text = `${of('compactions_failed')} compactions came to nothing; "headrace verify" checks the segments`
    throw new HeadraceError('WORKER_FAILED', 'safe', text)
  }
  if (of('compactions') === 0) return 'Nothing is worth merging now.\n'
  return `${of('compactions')} compactions read ${of('compaction_read_bytes')} bytes and wrote ${of('compaction_written_bytes')}.\n`
}

/** Levels whose lease an agent holds are left to it. */
async function runOut(job: Job): Promise<void> {
  const { signal } = new AbortController()
  while (await job.run(signal));
}

function sweepCommand(environment: StoresEnvironment): Command {
  const command = new Command('sweep').description('delete objects that no segment of the catalog claims')
  return withSettings(command, [...STORES, 'commitAgeMax'])
    .option('--dry-run', 'only show what would be deleted')
    .action((flags) =>
      onStores(environment, { ...flags, dryRun: undefined }, async ({ config, catalog, objectStore }) => {
        const { deleteOrphans, sweep } = await import('../../engine/jobs/index.js')
        let deletedCount = 0
        const report = await sweep({
          catalog,
          objectStore,
          commitAgeMaxMs: config.commitAgeMaxMs,
          onOrphans: async (orphans) => {
            for (const { key, bytes } of orphans) environment.write(`${key}  ${bytes} bytes\n`)
            if (flags['dryRun'] !== true) deletedCount += await deleteOrphans(objectStore, orphans)
          },
        })
        const { objectCount, orphanCount, orphanBytes, youngCount } = report
        const done = flags['dryRun'] === true ? 'would be deleted' : `found, ${deletedCount} deleted`
        environment.write(
          `${orphanCount} orphans of ${orphanBytes} bytes ${done}; ${objectCount} objects listed, ${youngCount} of them too young to judge\n`,
        )
      }),
    )
}

function verifyCommand(environment: StoresEnvironment): Command {
  const command = new Command('verify').description(
    'read every live segment and check CRCs, batches, and the catalog against them',
  )
  return withSettings(command, STORES).action((flags) =>
    onStores(environment, flags, async ({ catalog, objectStore }) => {
      const { scrub } = await import('../../engine/jobs/scrub.js')
      const onFinding = ({ place, text }: { readonly place: string; readonly text: string }) =>
        environment.write(`${place}: ${text}\n`)
      const report = await scrub({ catalog, objectStore, onFinding })
      const { segmentCount, objectBytes, extentCount, partitionCount, findingCount } = report
      const read = `${segmentCount} segments of ${objectBytes} bytes, ${extentCount} extents, ${partitionCount} partitions`
      if (findingCount > 0) {
        throw new HeadraceError('BATCH_CORRUPT', 'never', `${findingCount} faults in ${read}`)
      }
      environment.write(`${read}: all is whole\n`)
    }),
  )
}
