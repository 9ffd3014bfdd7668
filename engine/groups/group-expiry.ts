import type { Cluster } from '../broker.js'
import type { CancelTimer, Clock, Random } from '../ports/clock.js'
import type { GroupCatalog } from '../ports/group-catalog.js'
import { GROUP_STATE_EMPTY } from '../ports/group-catalog.js'
import type { Logger } from '../ports/logger.js'
import type { GroupListing } from './group-coordinator.js'
import type { RunningGroup } from './running-group.js'

/** What the job needs of the coordinator. */
export interface ExpiringGroups {
  readonly running: readonly RunningGroup[]
  list(): Promise<readonly GroupListing[]>
  adopt(groupId: string): Promise<void>
}

export interface GroupExpiryOptions {
  readonly groups: ExpiringGroups
  readonly catalog: Pick<GroupCatalog, 'expireGroups'>
  readonly cluster: Pick<Cluster, 'nodeId' | 'coordinatorOf'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Kafka's offsets.retention.minutes. */
  readonly retentionMs: number
}

/** Kafka's offsets.retention.check.interval.ms. */
const INTERVAL_MS = 600_000
/** A group without members and without offsets is remembered for this long. */
const UNUSED_MS = 600_000
const GROUPS_PER_PASS = 200
const PASSES_MAX = 50
const ADOPTED_PER_ROUND_MAX = 500
/** The agent that this name would have as a group's coordinator looks after the groups without members. */
const JOB_NAME = '__expired_groups'

/**
 * Forgets offsets that nobody will ask for any more, roughly as KIP-211 has it:
 * - a group without members, offsets included, once it was neither committed to nor changed for the retention;
 * - of a group of consumers, offsets older than the retention whose topic no member subscribes to. What members read stays.
 *
 * Groups whose members all vanished together with their coordinator are taken over here: so their sessions end somewhere.
 *
 * Lifecycle: runs from `start` until `close`.
 */
export class GroupExpiry {
  readonly #options: GroupExpiryOptions
  #timer: CancelTimer | undefined
  #round: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: GroupExpiryOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#isClosed) return
    // Agents that start together do not work together.
    const delayMs = INTERVAL_MS * (0.5 + this.#options.random.fraction())
    this.#timer = this.#options.clock.schedule(delayMs, () => {
      this.#round = this.#runLogged().then(() => this.start())
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.()
    await this.#round
  }

  async #runLogged(): Promise<void> {
    try {
      await this.run()
    } catch (error) {
      this.#options.logger.warn({ error }, 'expiring the offsets of consumer groups failed; trying again later')
    }
  }

  /** One round: groups without members, then offsets of those that have some, then groups nobody runs. */
  async run(): Promise<void> {
    const { catalog, cluster, groups, retentionMs, logger } = this.#options
    if (cluster.coordinatorOf(JOB_NAME).nodeId === cluster.nodeId) {
      const limits = { retentionMs, unusedMs: Math.min(UNUSED_MS, retentionMs), limit: GROUPS_PER_PASS }
      let count = 0
      for (let pass = 0; pass < PASSES_MAX && !this.#isClosed; pass++) {
        const expired = await catalog.expireGroups(limits)
        count += expired
        if (expired < GROUPS_PER_PASS) break
      }
      if (count > 0) logger.info({ count }, 'consumer groups without members expired')
    }
    for (const group of groups.running) {
      if (this.#isClosed) return
      await group.expireOffsets(retentionMs).catch((error: unknown) => {
        logger.warn({ error, groupId: group.groupId }, 'expiring the offsets of a consumer group failed')
      })
    }
    await this.#adoptAbandoned()
  }

  async #adoptAbandoned(): Promise<void> {
    const { groups } = this.#options
    const running = new Set(groups.running.map(({ groupId }) => groupId))
    const listed = await groups.list()
    const abandoned = listed.filter(({ groupId, state }) => state !== GROUP_STATE_EMPTY && !running.has(groupId))
    for (const { groupId } of abandoned.slice(0, ADOPTED_PER_ROUND_MAX)) {
      if (this.#isClosed) return
      await groups.adopt(groupId)
    }
  }
}
