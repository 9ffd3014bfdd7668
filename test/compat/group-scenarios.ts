import { setTimeout as sleep } from 'node:timers/promises'
import { type JoinCommand, type Member, type ReadRecord, SESSION_TIMEOUT_MS, within } from './driver.js'
import { placesOf, recordsOf } from './records.js'
import type { Place } from './scenarios.js'

const PARTITIONS = 12
const GROUP_TIMEOUT_MS = 45_000
/** For what must not come. */
const SETTLE_MS = 1_000

/** Members come and go while records come; nothing is missed, and who comes last finds everything committed. */
export async function groupRebalance(place: Place): Promise<void> {
  const group = await Group.open(place)
  await group.send('first', 120)
  const first = await group.join()
  await group.assigned(first)
  const second = await group.join()
  await group.assigned(first, second)
  await group.send('second', 120)
  await group.read(240)
  await group.leave(second)
  await group.assigned(first)
  await group.send('third', 120)
  await group.read(360)
  await group.leave(first)
  await group.findsNothing()
}

/** A static member comes back within its session, and nobody else notices. */
export async function staticMembership(place: Place): Promise<void> {
  const group = await Group.open(place)
  const first = await group.join({ instanceId: 'one' })
  const second = await group.join({ instanceId: 'two' })
  await group.assigned(first, second)
  const { partitions } = await first.state()
  const { assignmentCount } = await second.state()
  await group.leave(first)
  const back = await group.join({ instanceId: 'one' })
  await group.assigned(back, second)
  const now = await back.state()
  if (`${now.partitions}` !== `${partitions}`)
    throw new Error(`it had ${partitions} and came back to ${now.partitions}`)
  await group.send('after', 120)
  await group.read(120)
  const { assignmentCount: countNow } = await second.state()
  if (countNow !== assignmentCount) throw new Error('the other member was rebalanced')
  await group.leave(back)
  await group.leave(second)
}

/** What was committed is not read again, and what came meanwhile is. */
export async function commitAndResume(place: Place): Promise<void> {
  const group = await Group.open(place)
  await group.send('before', 240)
  const first = await group.join()
  await group.read(240)
  await group.leave(first)
  await group.send('after', 120)
  const second = await group.join()
  await group.read(360)
  await sleep(SETTLE_MS)
  const { records } = await second.state()
  if (records.length !== 120) throw new Error(`it read ${records.length} records, 120 were new`)
  if (records.some(({ value }) => !value.startsWith('after'))) throw new Error('it read what was committed')
  await group.leave(second)
}

/** What a tool says of a group, with a member and without one. */
export async function groupTools(place: Place): Promise<void> {
  const group = await Group.open(place)
  const member = await group.join()
  await group.assigned(member)
  await group.shows('Stable', 1)
  await group.leave(member)
  await group.shows('Empty', 0)
}

export async function groupDeletion(place: Place): Promise<void> {
  const group = await Group.open(place)
  await group.send('before', 12)
  const member = await group.join()
  await group.read(12)
  const refused = await group.delete().then(
    () => false,
    () => true,
  )
  if (!refused) throw new Error('a group with a member was deleted')
  await group.leave(member)
  await group.shows('Empty', 0)
  await group.delete()
  await group.isGone()
}

const WORK_MS = 40

/** Working on what it has takes a member longer than its session lasts, and it stays a member. */
export async function slowConsumer(place: Place): Promise<void> {
  const group = await Group.open(place)
  const count = Math.ceil((SESSION_TIMEOUT_MS * 1.3) / WORK_MS)
  const member = await group.join({ workMs: WORK_MS })
  await group.assigned(member)
  await group.send('slow', count)
  await group.read(count)
  const { assignmentCount, records } = await member.state()
  if (assignmentCount !== 1) throw new Error(`it was rebalanced ${assignmentCount - 1} times`)
  if (records.length !== count) throw new Error(`it read ${records.length} records, ${count} were sent`)
  await group.leave(member)
}

/** A group of the client's members over one topic. */
class Group {
  readonly #place: Place
  readonly #topic: string
  readonly #group: string
  readonly #members = new Set<Member>()
  /** What members read that are gone. */
  readonly #left: ReadRecord[] = []

  private constructor(place: Place, topic: string) {
    this.#place = place
    this.#topic = topic
    this.#group = place.unused('group')
  }

  static async open(place: Place): Promise<Group> {
    return new Group(place, await place.topic(PARTITIONS))
  }

  async join(options: Pick<JoinCommand, 'instanceId' | 'workMs'> = {}): Promise<Member> {
    const member = await this.#place.driver.join({ group: this.#group, topic: this.#topic, ...options })
    this.#members.add(member)
    return member
  }

  async leave(member: Member): Promise<void> {
    this.#left.push(...(await member.state()).records)
    this.#members.delete(member)
    await member.leave()
  }

  send(label: string, count: number): Promise<void> {
    const records = recordsOf(count, PARTITIONS, label)
    return this.#place.driver.produce({ topic: this.#topic, codec: 'none', idempotent: false, records })
  }

  /** Waits until the members together have read so many different records. */
  async read(count: number): Promise<void> {
    let seen = 0
    await within(`${count} records in the group`, GROUP_TIMEOUT_MS, async () => {
      const states = await Promise.all([...this.#members].map((member) => member.state()))
      seen = placesOf([...this.#left, ...states.flatMap(({ records }) => records)]).size
      return seen >= count ? true : undefined
    }).catch((error: Error) => {
      throw new Error(`${error.message}; it read ${seen}`)
    })
  }

  /** Waits until the members have all partitions between them: each one some, and no partition two of them. */
  async assigned(...members: Member[]): Promise<void> {
    let last: (readonly number[])[] = []
    await within('all partitions are assigned', GROUP_TIMEOUT_MS, async () => {
      last = await Promise.all(members.map(async (member) => (await member.state()).partitions))
      const all = last.flat()
      const fair = last.every(({ length }) => length > 0)
      return fair && all.length === PARTITIONS && new Set(all).size === PARTITIONS ? true : undefined
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}`)
    })
  }

  async shows(state: string, memberCount: number): Promise<void> {
    let last: unknown
    await within(`the group is ${state}`, GROUP_TIMEOUT_MS, async () => {
      const found = await this.#place.driver.describeGroup(this.#group)
      last = found
      const same = found?.state.toLowerCase() === state.toLowerCase() && found.memberCount === memberCount
      return same ? true : undefined
    }).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(last)}`)
    })
  }

  delete(): Promise<void> {
    return this.#place.driver.deleteGroup(this.#group)
  }

  async isGone(): Promise<void> {
    if ((await this.#place.driver.describeGroup(this.#group)) !== undefined) throw new Error('the group is still there')
  }

  async findsNothing(): Promise<void> {
    const member = await this.join()
    await this.assigned(member)
    await sleep(SETTLE_MS)
    const { records } = await member.state()
    if (records.length > 0) throw new Error(`${records.length} records were not committed`)
    await this.leave(member)
  }
}
