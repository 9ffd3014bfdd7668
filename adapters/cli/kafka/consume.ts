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
      return withAdmin(options.bootstrap, (admin) =>
        withConsumer(options.bootstrap, options.group, (consumer) =>
          consume(admin, consumer, topic, options, terminal),
        ),
      )
    })
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a number from 1 on.')
}

function collectPartition(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), parsePartition(text)]
}

async function consume(
  admin: Admin,
  consumer: Consumer,
  topic: string,
  options: ConsumeOptions,
  terminal: Terminal,
): Promise<void> {
  const all = await partitionsOf(admin, topic)
  for (const partition of options.partition ?? []) {
    if (!all.includes(partition))
      throw new Error(`topic ${topic} has partitions 0 to ${all.length - 1}, not ${partition}`)
  }
  const ends = options.exitAtEnd === true ? (await logBounds(admin, topic, all)).latest : undefined
  const reading = new Reading(admin, consumer, topic, options, terminal, ends)
  if (options.group !== undefined) return reading.asMember()
  const partitions = options.partition ?? all
  await reading.read(await resolveOffsets(admin, topic, partitions, options.from), () => false)
}

const COMMIT_INTERVAL_MS = 5_000
const ASSIGNMENT_POLL_MS = 100

/** One run of the command. */
class Reading {
  #countLeft: number
  #committedAtMs = performance.now()

  constructor(
    private readonly admin: Admin,
    private readonly consumer: Consumer,
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
  async read(positions: Offsets, isOver: () => boolean, onRound: () => Promise<void> = async () => {}): Promise<void> {
    const { topic, consumer, ends, admin, terminal } = this
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

  /** Reads what the group gives it, and commits what was printed: now and then, and before it gives partitions back. */
  async asMember(): Promise<void> {
    const group = await GroupMembership.join(this.consumer, this.topic)
    try {
      while (!this.#done) {
        const { generation } = group
        const positions = await this.#startOf(group)
        const isOver = () => group.generation !== generation
        await this.read(positions, isOver, async () => {
          if (performance.now() - this.#committedAtMs < COMMIT_INTERVAL_MS) return
          this.#committedAtMs = performance.now()
          await group.commit(positions)
        })
        if (!isOver()) await group.commit(positions)
        if (this.ends !== undefined && !isOver()) return
        // Nothing assigned to this member, or not yet.
        await new Promise((resolve) => setTimeout(resolve, ASSIGNMENT_POLL_MS))
      }
    } finally {
      await group.leave()
    }
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
