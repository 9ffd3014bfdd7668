import t, { type Test } from 'tap'
import { HeadraceError, isHeadraceError } from '../../../engine/errors.js'
import type { CatalogGroupCoordinator } from '../../../engine/groups/catalog-group-coordinator.js'
import { sleep } from '../../../engine/ports/clock.js'
import type { FakeCluster } from '../../support/group-members.js'
import { bytes, type Joined, joinRequest, refOf, text } from '../../support/group-members.js'
import { type GroupWorld, groupWorld, offsetOf } from '../../support/group-world.js'
import { SeededRandom } from '../../support/virtual-clock.js'

/**
 * Several agents that often disagree about who coordinates, a catalog that is slow and fails before or after its effect, and
 * members that come, go, commit what they are assigned, or stand still for longer than their session and then commit
 * as if nothing had been. Whatever happens, committed offsets never go back, what was acknowledged is there, and every
 * request is answered.
 */

const SEEDS = 40
const RUN_MS = 90_000
const AGENTS = 3
const MEMBERS = 5
const PARTITIONS = 4

/** `unknown`: the member is none any more; undefined: it may try again. */
type Ask = <Answer>(
  request: (coordinator: CatalogGroupCoordinator) => Promise<Answer>,
) => Promise<Answer | 'unknown' | undefined>

class Run {
  readonly random: SeededRandom
  readonly agents: { readonly coordinator: CatalogGroupCoordinator; readonly cluster: FakeCluster }[]
  readonly violations: string[] = []
  /** By partition: what a member was told is committed. */
  readonly acknowledged = new Array<number>(PARTITIONS).fill(-1)
  #committed = new Array<number>(PARTITIONS).fill(-1)
  commitCount = 0
  openCount = 0
  isOver = false

  constructor(
    readonly world: GroupWorld,
    seed: number,
  ) {
    this.random = new SeededRandom(seed)
    this.agents = Array.from({ length: AGENTS }, () => world.agent())
    world.catalog.before = (method) => this.#trouble(method, 'CATALOG_UNAVAILABLE')
    world.catalog.after = (method) => this.#trouble(method, 'CATALOG_OUTCOME_UNKNOWN')
  }

  get clock() {
    return this.world.clock
  }

  /** Time passes before and after each call's effect; now and then the connection is lost there. */
  async #trouble(method: string, code: 'CATALOG_UNAVAILABLE' | 'CATALOG_OUTCOME_UNKNOWN'): Promise<void> {
    if (this.isOver) return
    await sleep(this.clock, this.random.fraction() * (this.random.fraction() < 0.05 ? 3_000 : 20))
    if (method === 'commitGroupOffsets' || method === 'saveGroup') await this.#look()
    // Saves are few beside commits, and what depends on them is what is looked for.
    const lossRate = method === 'saveGroup' ? 0.2 : 0.02
    if (this.random.fraction() < lossRate) throw new HeadraceError(code, 'unknown', 'the connection is lost')
  }

  async #look(): Promise<void> {
    const { catalog, topicId } = this.world
    const refs = Array.from({ length: PARTITIONS }, (_, partition) => ({ topicId, partition }))
    // Past the watched calls: looking takes no time.
    const rows = await catalog.look('readers', refs)
    for (const { partition, offset } of rows) {
      const before = this.#committed[partition] ?? -1
      if (offset < before) this.violations.push(`partition ${partition} went back from ${before} to ${offset}`)
      this.#committed[partition] = offset
    }
  }

  async check(): Promise<void> {
    await this.#look()
    for (const [partition, told] of this.acknowledged.entries()) {
      const committed = this.#committed[partition] ?? -1
      if (committed < told) this.violations.push(`partition ${partition}: told ${told}, committed is ${committed}`)
    }
  }

  /** Agents' pictures of the cluster, which differ while they change. */
  async shuffle(): Promise<void> {
    while (!this.isOver) {
      const chosen = this.#pick(this.agents).cluster.nodeId
      for (const { cluster } of this.agents) {
        await sleep(this.clock, this.random.fraction() * (this.random.fraction() < 0.2 ? 20_000 : 2_000))
        cluster.coordinatorId = chosen
      }
      await sleep(this.clock, this.random.fraction() * 8_000)
    }
  }

  async member(number: number): Promise<void> {
    const groupInstanceId = number < 2 ? `instance-${number}` : null
    while (!this.isOver) {
      try {
        await this.#live(groupInstanceId)
      } catch (error) {
        if (!isHeadraceError(error)) throw error
      }
      // Gone without a word, or about to start again.
      await sleep(this.clock, this.random.fraction() * (this.random.fraction() < 0.2 ? 12_000 : 500))
    }
  }

  /** Joins, and works until something ends it; it does not leave. */
  async #live(groupInstanceId: string | null): Promise<void> {
    let memberId = ''
    const ask = this.#asking()
    while (!this.isOver && this.random.fraction() > 0.02) {
      const request = { memberId, groupInstanceId, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 8_000 }
      const answer = await ask((coordinator) =>
        coordinator.join(joinRequest({ ...request, memberIdRequiredKnown: groupInstanceId === null })),
      )
      if (answer === undefined) continue
      if (answer === 'unknown') memberId = ''
      else if (answer.kind === 'member-id-required') memberId = answer.memberId
      else {
        memberId = answer.memberId
        if ((await this.#work(ask, answer, groupInstanceId)) === 'unknown') memberId = ''
      }
    }
  }

  async #work(ask: Ask, joined: Joined, groupInstanceId: string | null): Promise<'unknown' | undefined> {
    const ref = refOf(joined.memberId, joined.generationId, groupInstanceId)
    const assignments = joined.members.map(({ memberId }, index) => {
      const own = Array.from({ length: PARTITIONS }, (_, partition) => partition)
      return { memberId, assignment: bytes(own.filter((p) => p % joined.members.length === index).join()) }
    })
    const synced = await ask((coordinator) =>
      coordinator.sync({ ...ref, protocolType: 'consumer', protocolName: joined.protocolName, assignments }),
    )
    if (synced === undefined || synced === 'unknown') return synced
    const partitions = text(synced.assignment)
      .split(',')
      .filter((name) => name !== '')
      .map(Number)
    const { topicId } = this.world
    const refs = partitions.map((partition) => ({ topicId, partition }))
    const from = await ask((coordinator) => coordinator.fetchOffsets('readers', refs))
    if (from === undefined || from === 'unknown') return undefined
    const positions = from.map(({ partition, offset }) => ({ partition, next: offset + 1 }))
    while (!this.isOver && this.random.fraction() > 0.03) {
      const standsStill = this.random.fraction() < 0.08
      await sleep(this.clock, standsStill ? 4_000 + this.random.fraction() * 16_000 : this.random.fraction() * 800)
      if (!standsStill) {
        const beat = await ask((coordinator) => coordinator.heartbeat(ref).then(() => 'alive' as const))
        if (beat === 'unknown') return beat
        if (beat === undefined && this.random.fraction() < 0.5) return undefined
      }
      const offsets = positions.map(({ partition, next }) => offsetOf(topicId, next, partition))
      const result = await ask((coordinator) => coordinator.commitOffsets({ ...ref, offsets }))
      if (result === 'unknown') return result
      if (result === undefined) continue
      this.commitCount += 1
      for (const position of positions) {
        this.acknowledged[position.partition] = Math.max(this.acknowledged[position.partition] ?? -1, position.next)
        position.next += 1 + Math.floor(this.random.fraction() * 5)
      }
      await this.check()
    }
    return undefined
  }

  /** A client's way to ask: at the agent that any agent named, until that one cannot answer. */
  #asking(): Ask {
    let coordinator: CatalogGroupCoordinator | undefined
    return async (request) => {
      const { cluster } = this.#pick(this.agents)
      coordinator ??= this.agents.find((agent) => agent.cluster.nodeId === cluster.coordinatorId)?.coordinator
      if (coordinator === undefined) throw new Error('an agent that does not exist was named')
      this.openCount += 1
      try {
        return await request(coordinator)
      } catch (error) {
        if (!isHeadraceError(error)) throw error
        if (error.code === 'MEMBER_FENCED') throw error
        if (['NOT_COORDINATOR', 'COORDINATOR_UNAVAILABLE'].includes(error.code)) coordinator = undefined
        await sleep(this.clock, 100)
        return error.code === 'MEMBER_UNKNOWN' ? 'unknown' : undefined
      } finally {
        this.openCount -= 1
      }
    }
  }

  #pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.random.fraction() * items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }
}

async function runSeed(t: Test, seed: number): Promise<number> {
  const run = new Run(await groupWorld(t), seed)
  const living = [run.shuffle(), ...Array.from({ length: MEMBERS }, (_, number) => run.member(number))]
  const ended = Promise.all(living)
  ended.catch(() => {})
  await run.clock.advance(RUN_MS)
  run.isOver = true
  // Every answer comes within the longest of the group's clocks.
  await run.clock.advance(60_000)
  t.equal(run.openCount, 0, `seed ${seed}: ${run.openCount} requests wait for ever`)
  await ended
  await run.check()
  t.same(run.violations, [], `seed ${seed}`)
  return run.commitCount
}

t.test('agents that disagree, over a catalog that fails', async (t) => {
  let commitCount = 0
  for (let seed = 1; seed <= SEEDS; seed++) commitCount += await runSeed(t, seed)
  t.ok(commitCount > SEEDS * 20, `${commitCount} commits`)
})
