import { CatalogGroupCoordinator } from './catalog-group-coordinator.js'
import type { GroupCoordinator } from './group-coordinator.js'
import { GroupExpiry } from './group-expiry.js'
import { DEFAULT_GROUP_LIMITS } from './group-limits.js'
import { LimitedGroupCatalog } from './limited-group-catalog.js'
import type { RunningGroupsOptions } from './running-groups.js'

export interface GroupsOptions extends Omit<RunningGroupsOptions, 'limits'> {
  readonly initialRebalanceDelayMs: number
  readonly offsetsRetentionMs: number
}

/** The coordinator of an agent, and the job that forgets what nobody uses. */
export interface Groups {
  readonly coordinator: GroupCoordinator
  /** Once the agent knows the others. */
  startExpiry(): void
  /** Answers all who wait NOT_COORDINATOR, so that clients move on at once. Idempotent. */
  close(): Promise<void>
}

export function createGroups(options: GroupsOptions): Groups {
  const { initialRebalanceDelayMs, offsetsRetentionMs } = options
  const limits = { ...DEFAULT_GROUP_LIMITS, initialRebalanceDelayMs }
  const catalog = new LimitedGroupCatalog(options.catalog, options.clock)
  const coordinator = new CatalogGroupCoordinator({ ...options, catalog, limits })
  const expiry = new GroupExpiry({ ...options, catalog, groups: coordinator, retentionMs: offsetsRetentionMs })
  return {
    coordinator,
    startExpiry: () => expiry.start(),
    close: async () => {
      await coordinator.close()
      await expiry.close()
    },
  }
}
