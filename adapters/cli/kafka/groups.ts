import type { Admin, Group } from '@platformatic/kafka'
import { Command, Option } from 'commander'
import { table } from '../table.js'
import type { Terminal } from '../terminal.js'
import { bootstrapOption, withAdmin } from './clients.js'
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
import { jsonLines } from './topics.js'

interface GroupsOptions {
  readonly bootstrap: string
  readonly json?: boolean
}

interface ResetOptions extends GroupsOptions {
  readonly topic: string
  readonly partition?: number[]
  readonly to: OffsetSpec
  readonly dryRun?: boolean
}

/** `headrace groups`. */
export function groupsCommand(terminal: Terminal): Command {
  const command = new Command('groups').description('list, describe, delete consumer groups; reset their offsets')
  command
    .command('list')
    .description('groups and their states')
    .addOption(bootstrapOption())
    .option('--json', 'one JSON object per line')
    .action((options: GroupsOptions) => withAdmin(options.bootstrap, (admin) => list(admin, options, terminal)))
  command
    .command('describe <group>')
    .description('committed offsets with their lag, and who reads each partition')
    .addOption(bootstrapOption())
    .option('--json', 'one JSON object per line')
    .action((group: string, options: GroupsOptions) =>
      withAdmin(options.bootstrap, (admin) => describe(admin, group, options, terminal)),
    )
  command
    .command('delete <group...>')
    .description('delete groups without members, and their offsets')
    .addOption(bootstrapOption())
    .action((groups: string[], options: GroupsOptions) =>
      withAdmin(options.bootstrap, async (admin) => {
        await admin.deleteGroups({ groups })
        terminal.note(`Deleted ${groups.join(', ')}.\n`)
      }),
    )
  command
    .command('reset-offsets <group>')
    .description('let a group without members go on elsewhere')
    .addOption(bootstrapOption())
    .requiredOption('-t, --topic <topic>', 'the topic of the offsets')
    .addOption(new Option('--to <where>', OFFSET_SPEC_TEXT).argParser(parseOffsetSpec).makeOptionMandatory())
    .option('-p, --partition <number...>', 'these partitions only', (text, before: number[] | undefined) => [
      ...(before ?? []),
      parsePartition(text),
    ])
    .option('--dry-run', 'only show the offsets')
    .option('--json', 'one JSON object per line')
    .action((group: string, options: ResetOptions) =>
      withAdmin(options.bootstrap, (admin) => resetOffsets(admin, group, options, terminal)),
    )
  return command
}

async function list(admin: Admin, { json }: GroupsOptions, terminal: Terminal): Promise<void> {
  const groups = [...(await admin.listGroups()).values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  const rows = groups.map(({ id, state, protocolType }) => ({ group: id, state: state.toLowerCase(), protocolType }))
  if (json === true) return terminal.write(jsonLines(rows))
  if (rows.length === 0) return terminal.note('There are no groups.\n')
  await terminal.write(
    table([['GROUP', 'STATE', 'TYPE'], ...rows.map((row) => [row.group, row.state, row.protocolType || '-'])]),
  )
}

interface PartitionRow {
  readonly topic: string
  readonly partition: number
  readonly committed: number | null
  readonly end: number
  readonly lag: number | null
  readonly member: string | null
  readonly client: string | null
  readonly host: string | null
}

async function describe(admin: Admin, groupId: string, { json }: GroupsOptions, terminal: Terminal): Promise<void> {
  const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
  const committed = await committedOffsets(admin, groupId)
  const owners = ownersOf(group)
  if ((group === undefined || group.state === 'DEAD') && committed.size === 0) {
    throw new Error(`there is no group ${groupId}`)
  }
  const rows: PartitionRow[] = []
  for (const topic of [...new Set([...committed.keys(), ...owners.keys()])].sort()) {
    rows.push(...(await rowsOf(admin, topic, committed.get(topic) ?? new Map(), owners.get(topic) ?? new Map())))
  }
  if (json === true) return terminal.write(jsonLines(rows.map((row) => ({ group: groupId, ...row }))))
  const members = group?.members.size ?? 0
  terminal.note(`Group ${groupId} is ${(group?.state ?? 'empty').toLowerCase()} and has ${members} members.\n`)
  const cells = rows.map((row) => Object.values(row).map((cell) => (cell === null ? '-' : String(cell))))
  await terminal.write(table([['TOPIC', 'PARTITION', 'COMMITTED', 'END', 'LAG', 'MEMBER', 'CLIENT', 'HOST'], ...cells]))
}

async function committedOffsets(admin: Admin, groupId: string): Promise<Map<string, Offsets>> {
  const [answer] = await admin.listConsumerGroupOffsets({ groups: [groupId] })
  const topics = new Map<string, Offsets>()
  for (const { name, partitions } of answer?.topics ?? []) {
    const offsets = partitions
      .filter(({ committedOffset }) => committedOffset >= 0n)
      .map(({ partitionIndex, committedOffset }): [number, bigint] => [partitionIndex, committedOffset])
    if (offsets.length > 0) topics.set(name, new Map(offsets))
  }
  return topics
}

interface Owner {
  readonly member: string
  readonly client: string
  readonly host: string
}

/** By topic and partition. */
function ownersOf(group: Group | undefined): Map<string, Map<number, Owner>> {
  const owners = new Map<string, Map<number, Owner>>()
  for (const { id, clientId, clientHost, assignments } of group?.members.values() ?? []) {
    for (const { topic, partitions } of assignments?.values() ?? []) {
      const ofTopic = owners.get(topic) ?? new Map<number, Owner>()
      owners.set(topic, ofTopic)
      for (const partition of partitions) ofTopic.set(partition, { member: id, client: clientId, host: clientHost })
    }
  }
  return owners
}

async function rowsOf(
  admin: Admin,
  topic: string,
  committed: Offsets,
  owners: ReadonlyMap<number, Owner>,
): Promise<PartitionRow[]> {
  const wanted = [...new Set([...committed.keys(), ...owners.keys()])].sort((a, b) => a - b)
  // A topic may have been deleted since something was committed for it.
  const there = await partitionsOf(admin, topic).catch((): number[] => [])
  const known = wanted.filter((partition) => there.includes(partition))
  const { earliest, latest } = await logBounds(admin, topic, known)
  return known.map((partition) => {
    const offset = committed.get(partition)
    const [start, end] = [earliest.get(partition) ?? 0n, latest.get(partition) ?? 0n]
    // Without a commit nobody knows what the group will read; what was removed before its commit it cannot read.
    const from = offset === undefined ? undefined : offset < start ? start : offset
    const owner = owners.get(partition)
    return {
      topic,
      partition,
      committed: offset === undefined ? null : Number(offset),
      end: Number(end),
      lag: from === undefined ? null : Number(end - from),
      member: owner?.member ?? null,
      client: owner?.client ?? null,
      host: owner?.host ?? null,
    }
  })
}

async function resetOffsets(admin: Admin, groupId: string, options: ResetOptions, terminal: Terminal): Promise<void> {
  const { topic, to, dryRun, json } = options
  const group = (await admin.describeGroups({ groups: [groupId] })).get(groupId)
  if (group !== undefined && group.members.size > 0) {
    throw new Error(`group ${groupId} has ${group.members.size} members: stop them before resetting its offsets`)
  }
  const partitions = options.partition ?? (await partitionsOf(admin, topic))
  const offsets = await resolveOffsets(admin, topic, partitions, to)
  if (dryRun !== true) {
    const partitionOffsets = [...offsets].map(([partition, offset]) => ({ partition, offset }))
    await admin.alterConsumerGroupOffsets({ groupId, topics: [{ name: topic, partitionOffsets }] })
  }
  const rows = [...offsets].map(([partition, offset]) => ({ group: groupId, topic, partition, offset: Number(offset) }))
  if (json === true) return terminal.write(jsonLines(rows))
  if (dryRun === true) terminal.note('Nothing was changed.\n')
  const cells = rows.map((row) => [row.topic, String(row.partition), String(row.offset)])
  await terminal.write(table([['TOPIC', 'PARTITION', 'OFFSET'], ...cells]))
}
