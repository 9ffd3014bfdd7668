import type { Clock } from '../ports/clock.js'
import type { JobsCatalog, LeaseRest } from '../ports/jobs-catalog.js'
import type { Logger } from '../ports/logger.js'
import type { Job } from './job-runner.js'

export interface LeasedOptions {
  readonly catalog: JobsCatalog
  readonly clock: Clock
  readonly logger: Logger
  /** Tells this agent from all others. */
  readonly holder: string
}

/** Long enough for a few renewals to be lost, short enough that the work of an agent that died is soon taken up. */
const LEASE_MS = 60_000
const RENEWAL_MS = 20_000

/**
 * A pass of a job under the job's lease; `pass` answers whether there is more to do at once. Where there is not, nobody does the
 * job again for half its interval. Answers false where somebody else has the lease.
 */
export async function leasedPass(
  options: LeasedOptions,
  { name, intervalMs }: Pick<Job, 'name' | 'intervalMs'>,
  signal: AbortSignal,
  pass: (signal: AbortSignal) => Promise<boolean>,
): Promise<boolean> {
  const more = await leased(options, name, signal, async (leaseSignal) => {
    const result = await pass(leaseSignal)
    return { result, rest: { restMs: result ? 0 : Math.floor(intervalMs / 2) } }
  })
  return more ?? false
}

/**
 * Does `work` under a lease, if it can be had; undefined where somebody else has it. The signal ends when the lease is lost or the outer
 * signal ends; nothing that `work` does may be wrong when two do it at the same time for a moment: a lease saves work, it guards
 * nothing.
 */
export async function leased<Result>(
  options: LeasedOptions,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal, note: string) => Promise<{ readonly result: Result; readonly rest?: LeaseRest }>,
): Promise<Result | undefined> {
  const { catalog, clock, logger, holder } = options
  const lease = await catalog.acquireLease(name, holder, LEASE_MS)
  if (lease === undefined) return undefined
  const lost = new AbortController()
  const end = () => lost.abort(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  let cancelRenewal = () => {}
  const renewLater = () => {
    cancelRenewal = clock.schedule(RENEWAL_MS, () => {
      catalog.renewLease(lease, LEASE_MS).then(
        (renewed) => {
          if (renewed) renewLater()
          else lost.abort(new Error(`the lease ${name} has passed to another agent`))
        },
        (error: unknown) => {
          logger.warn({ err: error, lease: name }, 'a lease could not be renewed; trying again')
          renewLater()
        },
      )
    })
  }
  renewLater()
  let rest: LeaseRest | undefined
  try {
    const done = await work(lost.signal, lease.note)
    rest = done.rest
    return done.result
  } finally {
    cancelRenewal()
    signal.removeEventListener('abort', end)
    await catalog.releaseLease(lease, rest).catch((error: unknown) => {
      logger.warn({ err: error, lease: name }, 'a lease could not be given back; it expires by itself')
    })
  }
}
