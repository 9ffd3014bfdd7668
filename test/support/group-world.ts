import type { Test } from 'tap'
import { CatalogGroupCoordinator } from '../../engine/groups/catalog-group-coordinator.js'
import { DEFAULT_GROUP_LIMITS } from '../../engine/groups/group-limits.js'
import type { RunningGroupsOptions } from '../../engine/groups/running-groups.js'
import { NO_LOGGER } from '../../engine/ports/logger.js'
import { NO_METRICS } from '../../engine/ports/metrics.js'
import { createTestTopic } from './commit-segments.js'
import { FakeCatalog } from './fake-catalog.js'
import { FakeCluster } from './group-members.js'
import { SeededRandom, VirtualClock } from './virtual-clock.js'

/** A catalog whose calls concerning groups are counted, and fail or wait as tests say. */
export class WatchedCatalog extends FakeCatalog {
  readonly groupCalls: string[] = []
  /** Called before the call has its effect; may throw or wait. */
  before: (method: string) => Promise<void> | void = () => {}
  /** Called after the call had its effect. */
  after: (method: string) => Promise<void> | void = () => {}

  override claimGroup(...args: Parameters<FakeCatalog['claimGroup']>) {
    return this.#watched('claimGroup', () => super.claimGroup(...args))
  }

  override saveGroup(...args: Parameters<FakeCatalog['saveGroup']>) {
    return this.#watched('saveGroup', () => super.saveGroup(...args))
  }

  override commitGroupOffsets(...args: Parameters<FakeCatalog['commitGroupOffsets']>) {
    return this.#watched('commitGroupOffsets', () => super.commitGroupOffsets(...args))
  }

  override readGroupOffsets(...args: Parameters<FakeCatalog['readGroupOffsets']>) {
    return this.#watched('readGroupOffsets', () => super.readGroupOffsets(...args))
  }

  /** What is committed, past what watches. */
  look(...args: Parameters<FakeCatalog['readGroupOffsets']>) {
    return super.readGroupOffsets(...args)
  }

  override deleteGroup(...args: Parameters<FakeCatalog['deleteGroup']>) {
    return this.#watched('deleteGroup', () => super.deleteGroup(...args))
  }

  override listGroups() {
    return this.#watched('listGroups', () => super.listGroups())
  }

  async #watched<Result>(method: string, call: () => Promise<Result>): Promise<Result> {
    this.groupCalls.push(method)
    await this.before(method)
    const result = await call()
    await this.after(method)
    return result
  }
}

export interface GroupWorld {
  readonly clock: VirtualClock
  readonly catalog: WatchedCatalog
  /** `orders`, of four partitions. */
  readonly topicId: string
  /** One more agent on the same catalog, which takes itself for the coordinator of everything. */
  agent(changes?: Partial<RunningGroupsOptions>): {
    readonly coordinator: CatalogGroupCoordinator
    readonly cluster: FakeCluster
  }
}

export async function groupWorld(t: Test): Promise<GroupWorld> {
  const clock = new VirtualClock()
  const catalog = new WatchedCatalog(clock)
  const { topicId } = await createTestTopic(catalog, 'orders', 4)
  const coordinators: CatalogGroupCoordinator[] = []
  t.teardown(() => Promise.all(coordinators.map((coordinator) => coordinator.close())))
  let agentCount = 0
  const agent = (changes: Partial<RunningGroupsOptions> = {}) => {
    const cluster = new FakeCluster(++agentCount)
    const coordinator = new CatalogGroupCoordinator({
      catalog,
      cluster,
      clock,
      random: new SeededRandom(agentCount),
      logger: NO_LOGGER,
      metrics: NO_METRICS,
      limits: DEFAULT_GROUP_LIMITS,
      memoryBytesMax: 1024 * 1024,
      ...changes,
    })
    coordinators.push(coordinator)
    return { coordinator, cluster }
  }
  return { clock, catalog, topicId, agent }
}

export function offsetOf(topicId: string, offset: number, partition = 0, metadata = '') {
  return { topicId, partition, offset, leaderEpoch: -1, metadata }
}
