import type { Cluster } from '../../engine/broker.js'
import type { CatalogGroupCoordinator } from '../../engine/groups/catalog-group-coordinator.js'
import type {
  GroupCoordinator,
  GroupMemberRef,
  JoinAnswer,
  JoinRequest,
  SyncAnswer,
} from '../../engine/groups/group-coordinator.js'
import type { GroupMachine } from '../../engine/groups/group-machine.js'
import type { Reply } from '../../engine/groups/replies.js'

/** Requests and pictures for tests of consumer groups. */

export type Joined = Extract<JoinAnswer, { kind: 'joined' }>

/** What a consumer brings that reads `topics`; `userData` is the assignor's. */
export function subscription(topics: readonly string[], userData = ''): Uint8Array {
  const names = topics.map((topic) => Buffer.from(topic))
  const head = Buffer.alloc(6)
  head.writeInt16BE(1, 0)
  head.writeInt32BE(names.length, 2)
  const parts = names.flatMap((name) => {
    const length = Buffer.alloc(2)
    length.writeInt16BE(name.byteLength)
    return [length, name]
  })
  return new Uint8Array(Buffer.concat([head, ...parts, Buffer.from(userData)]))
}

export function joinRequest(changes: Partial<JoinRequest> = {}): JoinRequest {
  return {
    groupId: 'readers',
    memberId: '',
    groupInstanceId: null,
    clientId: 'client',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription(['orders']) }],
    memberIdRequiredKnown: false,
    skipAssignmentKnown: true,
    ...changes,
  }
}

export function refOf(memberId: string, generationId: number, groupInstanceId: string | null = null): GroupMemberRef {
  return { groupId: 'readers', memberId, groupInstanceId, generationId }
}

export const bytes = (text: string) => new TextEncoder().encode(text)
export const text = (value: Uint8Array | undefined) => new TextDecoder().decode(value)

/** Drives a state machine by hand: requests by name, answers by name. */
export class MachineDriver {
  now = 1_000_000
  readonly answers = new Map<string, Reply['answer']>()
  readonly #names: string[] = []
  #memberCount = 0

  constructor(readonly machine: GroupMachine) {}

  join(name: string, changes: Partial<JoinRequest> = {}): Reply['answer'] | undefined {
    const ticket = this.#names.push(name) - 1
    this.answers.delete(name)
    this.machine.join(ticket, joinRequest(changes), () => `member-${++this.#memberCount}`, this.now)
    return this.#collect(name)
  }

  sync(
    name: string,
    ref: GroupMemberRef,
    assignments: Readonly<Record<string, string>> = {},
    changes: { readonly protocolType?: string; readonly protocolName?: string } = {},
  ): Reply['answer'] | undefined {
    const ticket = this.#names.push(name) - 1
    this.answers.delete(name)
    const assigned = Object.entries(assignments).map(([memberId, value]) => ({ memberId, assignment: bytes(value) }))
    const request = { ...ref, protocolType: null, protocolName: null, ...changes, assignments: assigned }
    this.machine.sync(ticket, request, this.now)
    return this.#collect(name)
  }

  /** Goes on by `ms`, ticking at each deadline. */
  advance(ms: number): void {
    const until = this.now + ms
    for (let next = this.machine.nextDeadlineMs; next <= until; next = this.machine.nextDeadlineMs) {
      this.now = Math.max(this.now, next)
      this.machine.tick(this.now)
      this.collect()
    }
    this.now = until
  }

  joined(name: string): Joined {
    const answer = this.answers.get(name)
    if (answer === undefined || !('kind' in answer) || answer.kind !== 'joined') {
      throw new Error(`${name} has not joined: ${JSON.stringify(answer)}`)
    }
    return answer
  }

  assignment(name: string): string {
    return text((this.answers.get(name) as SyncAnswer).assignment)
  }

  /** The error's code, or what else the answer is. */
  outcome(name: string): string {
    const answer = this.answers.get(name)
    if (answer === undefined) return 'waits'
    if (answer instanceof Error) return answer.code
    return 'kind' in answer ? answer.kind : 'synced'
  }

  collect(): void {
    for (const { ticket, answer } of this.machine.takeReplies()) {
      const name = this.#names[ticket]
      if (name === undefined || this.answers.has(name)) throw new Error(`a second answer for ${name}`)
      this.answers.set(name, answer)
    }
  }

  #collect(name: string): Reply['answer'] | undefined {
    this.collect()
    return this.answers.get(name)
  }
}

/** A picture of the cluster that tests change. */
export class FakeCluster implements Pick<Cluster, 'nodeId' | 'coordinatorOf' | 'lookAround'> {
  coordinatorId: number

  constructor(readonly nodeId: number) {
    this.coordinatorId = nodeId
  }

  coordinatorOf(_groupId: string) {
    return { nodeId: this.coordinatorId, host: 'host', port: 9092, zone: null }
  }

  /** What a look at the registry finds, where a test says so. */
  async lookAround() {
    this.coordinatorId = this.registered ?? this.coordinatorId
  }

  registered: number | undefined
}

/** Joins one member after the other and syncs them all: the generation that stands then. */
export async function formGroup(
  coordinator: GroupCoordinator | CatalogGroupCoordinator,
  requests: readonly Partial<JoinRequest>[],
): Promise<Joined[]> {
  let joined: Joined[] = []
  for (const [index, request] of requests.entries()) {
    const answers = [coordinator.join(joinRequest(request))]
    // Who is in already joins again, because the new one made the group rebalance.
    for (const [place, { memberId }] of joined.entries()) {
      answers.splice(place, 0, coordinator.join(joinRequest({ ...requests[place], memberId })))
    }
    joined = (await Promise.all(answers)) as Joined[]
    if (joined.length !== index + 1) throw new Error('a member was lost')
    await Promise.all(joined.map((answer, place) => syncWith(coordinator, answer, requests[place])))
  }
  return joined
}

/** The leader assigns each member its own id. */
export function syncWith(
  coordinator: GroupCoordinator,
  joined: Joined,
  { groupId = 'readers', groupInstanceId = null }: Partial<JoinRequest> = {},
): Promise<SyncAnswer> {
  const { memberId, generationId } = joined
  const assignments = joined.members.map((member) => ({
    memberId: member.memberId,
    assignment: bytes(`for ${member.memberId}`),
  }))
  const ref = { groupId, memberId, groupInstanceId, generationId }
  return coordinator.sync({ ...ref, protocolType: 'consumer', protocolName: joined.protocolName, assignments })
}
