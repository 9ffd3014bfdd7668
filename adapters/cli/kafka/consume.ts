import type { Admin, Consumer } from '@platformatic/kafka'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Terminal } from '../terminal.js'
import { bootstrapOption, withAdmin, withConsumer } from './clients.js'
import { GroupMembership } from './group-membership.js'
import {
  logBounds,
  OFFSET_SPEC_TEXT,
  type OffsetSpec,
  type Offsets,
  parseOffsetSpec,
  partitionsOf,
  resolveOffsets,
} from './offset-spec.js'
import { parsePartition } from './produce.js'
import { recordJson, recordLine } from './record-text.js'
import { readTopic } from './topic-reader.js'

interface ConsumeOptions {
  readonly bootstrap: string
  readonly from: OffsetSpec
  readonly partition?: number[]
  readonly group?: string
  readonly count?: number
  readonly exitAtEnd?: boolean
  readonly json?: boolean
  readonly valuesOnly?: boolean
}

/** `headrace consume`. */
export function consumeCommand(terminal: Terminal): Command {
  return new Command('consume')
    .description('print the records of a topic: place, time, key, value, headers')
    .argument('<topic>')
    .addOption(bootstrapOption())
    .addOption(
      new Option('--from <where>', `${OFFSET_SPEC_TEXT}; with --group, where nothing is committed yet`)
        .argParser(parseOffsetSpec)
        .default({ kind: 'earliest' } satisfies OffsetSpec, 'earliest'),
    )
    .option('-p, --partition <number...>', 'these partitions only', collectPartition)
    .option('-g, --group <id>', 'read as a member of this group, and commit what was printed')
    .option('-n, --count <number>', 'exit after so many records', parseCount)
    .option('-e, --exit-at-end', 'exit at the records that are the last ones now')
    .option('--json', 'one JSON object per line; what is not UTF-8 as base64')
    .option('--values-only', 'nothing but the values, a line each')
    .action((topic: string, options: ConsumeOptions) => {
      if (options.group !== undefined && options.partition !== undefined) {
        throw new Error('--group is given its partitions: leave --partition out')
      }
      return withAdmin(options.bootstrap, (admin) => consume(admin, topic, options, terminal))
    })
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a number from 1 on.')
}

function collectPartition(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), parsePartition(text)]
}

async function consume(admin: Admin, topic: string, options: ConsumeOptions, terminal: Terminal): Promise<void> {
  const all = await partitionsOf(admin, topic)
  for (const partition of options.partition ?? []) {
    if (!all.includes(partition))
      throw new Error(`topic ${topic} has partitions 0 to ${all.length - 1}, not ${partition}`)
  }
  const ends = options.exitAtEnd === true ? (await logBounds(admin, topic, all)).latest : undefined
  const reading = new Reading(admin, topic, options, terminal, ends)
  if (options.group !== undefined) return reading.asMemberOf(options.group)
  const positions = await resolveOffsets(admin, topic, options.partition ?? all, options.from)
  await withConsumer(options.bootstrap, undefined, (consumer) => reading.read(consumer, positions, () => false))
}

const COMMIT_INTERVAL_MS = 5_000
const ASSIGNMENT_POLL_MS = 100
const REJOIN_DELAY_MS = 1_000
/** Without a commit in between. */
const REJOINS_MAX = 30

/** One run of the command. */
class Reading {
  #countLeft: number
  #committedAtMs = performance.now()
  #rejoinsLeft = REJOINS_MAX

  constructor(
    private readonly admin: Admin,
    private readonly topic: string,
    private readonly options: ConsumeOptions,
    private readonly terminal: Terminal,
    private readonly ends: Offsets | undefined,
  ) {
    this.#countLeft = options.count ?? Number.POSITIVE_INFINITY
  }

  get #done(): boolean {
    return this.#countLeft <= 0 || this.terminal.stopped.aborted
  }

  /** Prints from `positions` on, which move, until done or `isOver`. */
  async read(
    consumer: Consumer,
    positions: Offsets,
    isOver: () => boolean,
    onRound: () => Promise<void> = async () => {},
  ): Promise<void> {
    const { topic, ends, admin, terminal } = this
    const onGap = async (partition: number) => {
      const { earliest } = await logBounds(admin, topic, [partition])
      const offset = earliest.get(partition) ?? 0n
      terminal.note(`Partition ${partition} now begins at offset ${offset}: the records before it were removed.\n`)
      return offset
    }
    const over = () => this.#done || isOver()
    if (over()) return
    for await (const record of readTopic({ consumer, topic, positions, ends, isOver: over, onRound, onGap })) {
      if (this.options.json === true) await terminal.write(recordJson(record))
      else if (this.options.valuesOnly === true) await terminal.write(valueLine(record.value))
      else await terminal.write(recordLine(record))
      this.#countLeft -= 1
      if (over()) return
    }
  }

  /** Reads what the group gives it. When its coordinator dies, it joins again at the one that takes over. */
  async asMemberOf(groupId: string): Promise<void> {
    let memberId: string | null = null
    while (!this.#done) {
      try {
        const finished = await withConsumer(this.options.bootstrap, groupId, async (consumer) => {
          const group = await GroupMembership.join(consumer, this.topic, memberId)
          memberId = group.memberId
          return this.#asMember(consumer, group)
        })
        if (finished) return
      } catch (error) {
        // What fails before the group was ever joined is no matter of its coordinator.
        if (memberId === null || this.#rejoinsLeft <= 0) throw error
      }
      if (this.#done) return
      this.#rejoinsLeft -= 1
      this.terminal.note(`The coordinator of group ${groupId} was lost; joining again.\n`)
      await new Promise((resolve) => setTimeout(resolve, REJOIN_DELAY_MS))
    }
  }

  /**
   * Commits what was printed: now and then, and at the end. What is printed between a commit and a rebalance is printed again by
   * the partitions' next owners. Answers whether this was all there is to do.
   */
  async #asMember(consumer: Consumer, group: GroupMembership): Promise<boolean> {
    while (!this.#done) {
      const { generation } = group
      const positions = await this.#startOf(group)
      const isOver = () => group.lost || group.generation !== generation
      await this.read(consumer, positions, isOver, async () => {
        if (performance.now() - this.#committedAtMs < COMMIT_INTERVAL_MS) return
        this.#committedAtMs = performance.now()
        await this.#commit(group, positions)
      })
      if (group.lost) return false
      if (!isOver()) await this.#commit(group, positions)
      if (this.ends !== undefined && !isOver()) return true
      // Nothing assigned to this member, or not yet.
      await new Promise((resolve) => setTimeout(resolve, ASSIGNMENT_POLL_MS))
    }
    return true
  }

  async #commit(group: GroupMembership, positions: Offsets): Promise<void> {
    await group.commit(positions)
    this.#rejoinsLeft = REJOINS_MAX
  }

  async #startOf(group: GroupMembership): Promise<Offsets> {
    const positions = await group.committed()
    const fresh = group.partitions().filter((partition) => !positions.has(partition))
    const starts = await resolveOffsets(this.admin, this.topic, fresh, this.options.from)
    for (const [partition, offset] of starts) positions.set(partition, offset)
    return positions
  }
}

function valueLine(value: Uint8Array | null): Uint8Array {
  return Buffer.concat([value ?? Buffer.alloc(0), Buffer.from('\n')])
}
