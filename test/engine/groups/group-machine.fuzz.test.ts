import t from 'tap'
import type { GroupState } from '../../../engine/groups/group-coordinator.js'
import { notCoordinator } from '../../../engine/groups/group-errors.js'
import { DEFAULT_GROUP_LIMITS } from '../../../engine/groups/group-limits.js'
import { GroupMachine } from '../../../engine/groups/group-machine.js'
import { decodeGroupRecord, storedGroupOf } from '../../../engine/groups/group-record.js'
import { bytes, type Joined, joinRequest, refOf, subscription, text } from '../../support/group-members.js'
import { SeededRandom } from '../../support/virtual-clock.js'

/** Random clients, time and takeovers against one group; what must hold holds after every event. */

const SEEDS = 150
const EVENTS = 150
const LIMITS = { ...DEFAULT_GROUP_LIMITS, memberCountMax: 6 }

interface Client {
  readonly name: string
  readonly groupInstanceId: string | null
  memberId: string
  generationId: number
  /** What it was told when it joined, until it has its assignment. */
  joined: Joined | undefined
}

class Run {
  readonly random: SeededRandom
  readonly clients: Client[]
  machine: GroupMachine
  now = 5_000
  #nextTicket = 1
  #nextMember = 1
  #generationId = 0
  #version = 0
  readonly #open = new Map<number, Client>()
  readonly #leaders = new Map<number, string>()
  readonly #assignments = new Map<string, string>()

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
    const initialRebalanceDelayMs = this.random.fraction() < 0.3 ? 2_000 : 0
    this.machine = new GroupMachine({ ...LIMITS, initialRebalanceDelayMs })
    this.clients = Array.from({ length: 8 }, (_, index) => ({
      name: `client-${index}`,
      groupInstanceId: index < 3 ? `instance-${index % 2}` : null,
      memberId: '',
      generationId: -1,
      joined: undefined,
    }))
  }

  get openCount(): number {
    return this.#open.size
  }

  step(): void {
    const client = this.clients[this.#int(this.clients.length)]
    if (!client) return
    const events = [this.join, this.join, this.sync, this.sync, this.heartbeat, this.advance, this.leave, this.takeOver]
    const weights = [4, 4, 5, 5, 4, 4, 1, 0.3]
    let dice = this.random.fraction() * weights.reduce((sum, weight) => sum + weight, 0)
    const event = events.find((_, index) => {
      dice -= weights[index] ?? 0
      return dice < 0
    })
    event?.call(this, client)
    this.check()
  }

  join(client: Client): void {
    const topics = this.random.fraction() < 0.1 ? ['orders', 'more'] : ['orders']
    const names = [['range'], ['range', 'sticky'], ['sticky', 'range'], ['other']][this.#int(12) % 4] ?? []
    const memberId = this.random.fraction() < 0.8 ? client.memberId : ''
    this.machine.join(
      this.#ticket(client),
      joinRequest({
        memberId,
        groupInstanceId: client.groupInstanceId,
        protocols: names.map((name) => ({ name, metadata: subscription(topics) })),
        memberIdRequiredKnown: this.random.fraction() < 0.5,
        skipAssignmentKnown: this.random.fraction() < 0.5,
        sessionTimeoutMs: 6_000 + this.#int(20_000),
        rebalanceTimeoutMs: this.#int(30_000),
      }),
      () => `member-${this.#nextMember++}`,
      this.now,
    )
  }

  sync(client: Client): void {
    const { memberId, groupInstanceId, generationId, joined } = client
    const assignments = (joined?.members ?? []).map((member) => {
      return { memberId: member.memberId, assignment: bytes(`${generationId}/${member.memberId}`) }
    })
    const request = { ...refOf(memberId, generationId, groupInstanceId), protocolType: null, protocolName: null }
    this.machine.sync(this.#ticket(client), { ...request, assignments }, this.now)
  }

  heartbeat({ memberId, generationId, groupInstanceId }: Client): void {
    this.machine.heartbeat(refOf(memberId, generationId, groupInstanceId), this.now)
    this.machine.checkCommit(refOf(memberId, generationId, groupInstanceId), this.now)
  }

  leave({ memberId, groupInstanceId }: Client): void {
    const isByName = groupInstanceId !== null && this.random.fraction() < 0.5
    this.machine.leave([{ memberId: isByName ? '' : memberId, groupInstanceId }], this.now)
  }

  advance(): void {
    this.advanceBy(this.#int(12_000))
  }

  advanceBy(ms: number): void {
    const until = this.now + ms
    for (let ticks = 0; this.machine.nextDeadlineMs <= until; ticks++) {
      if (ticks > 1_000) throw new Error('time stands still')
      this.now = Math.max(this.now, this.machine.nextDeadlineMs)
      this.machine.tick(this.now)
      this.check()
    }
    this.now = until
  }

  /** Another agent goes on with what was saved. */
  takeOver(): void {
    const stored = storedGroupOf(this.machine)
    this.machine.failAll(notCoordinator())
    this.check()
    if (this.#open.size > 0) throw new Error('somebody waits for an agent that is gone')
    const { protocolType } = stored
    const state = stored.state as GroupState
    this.machine = GroupMachine.restore(LIMITS, { protocolType, state }, decodeGroupRecord(stored.record), this.now)
    this.#version = 0
    const again = storedGroupOf(this.machine)
    if (again.state !== state || !Buffer.from(again.record).equals(Buffer.from(stored.record))) {
      throw new Error('what was read back is something else than what was saved')
    }
  }

  check(): void {
    for (const { ticket, answer, afterVersion } of this.machine.takeReplies()) {
      const client = this.#open.get(ticket)
      if (!client) throw new Error('an answer nobody asked for')
      this.#open.delete(ticket)
      if (afterVersion > this.machine.version) throw new Error('an answer waits for a version that may never come')
      if (answer instanceof Error) continue
      if (!('kind' in answer)) this.#checkAssignment(client, text(answer.assignment))
      else if (answer.kind === 'joined') this.#checkJoined(client, answer)
      else client.memberId = answer.memberId
    }
    const { generationId, version, state, members } = this.machine
    if (generationId < this.#generationId) throw new Error('the generation went back')
    if (version < this.#version) throw new Error('the version went back')
    this.#generationId = generationId
    this.#version = version
    if ((state === 'Empty') !== (members.size === 0) && state !== 'PreparingRebalance') {
      throw new Error(`${members.size} members in state ${state}`)
    }
    if (members.size + members.pendingCount > LIMITS.memberCountMax) throw new Error('too many members')
    if (state === 'Stable' && !members.get(this.machine.leaderId)) throw new Error('a group without its leader')
  }

  #checkJoined(client: Client, joined: Joined): void {
    const isLeader = joined.members.length > 0
    client.memberId = joined.memberId
    client.generationId = joined.generationId
    client.joined = joined
    if (joined.protocolName === '') throw new Error('no protocol was chosen')
    if (!isLeader) return
    if (joined.leaderId !== joined.memberId) throw new Error('members are told to one who is not the leader')
    const leader = this.#leaders.get(joined.generationId) ?? client.name
    if (client.groupInstanceId === null && leader !== client.name) throw new Error('two leaders of one generation')
    this.#leaders.set(joined.generationId, client.name)
    if (!joined.members.some(({ memberId }) => memberId === joined.memberId)) throw new Error('a leader is no member')
    if (new Set(joined.members.map(({ memberId }) => memberId)).size !== joined.members.length) {
      throw new Error('a member twice')
    }
  }

  #checkAssignment(client: Client, assignment: string): void {
    const key = `${client.generationId}/${client.memberId}`
    const before = this.#assignments.get(key) ?? assignment
    if (before !== assignment) throw new Error('two assignments for one member in one generation')
    this.#assignments.set(key, assignment)
  }

  #ticket(client: Client): number {
    this.#open.set(this.#nextTicket, client)
    return this.#nextTicket++
  }

  #int(below: number): number {
    return Math.floor(this.random.fraction() * below)
  }
}

t.test('random events leave a group in order, and nobody waiting', async (t) => {
  let joins = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = new Run(seed)
    try {
      for (let event = 0; event < EVENTS; event++) run.step()
      joins += run.machine.generationId
      // Everybody falls silent.
      run.advanceBy(3_600_000)
      if (run.openCount > 0) throw new Error(`${run.openCount} wait for ever`)
      if (run.machine.state !== 'Empty' || run.machine.bytes !== 0) throw new Error('the group did not become empty')
    } catch (error) {
      t.fail(`seed ${seed}: ${error instanceof Error ? error.stack : error}`)
      return
    }
  }
  t.ok(joins > SEEDS * 5, `${joins} generations`)
})
