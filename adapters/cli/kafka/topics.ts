import type { Admin } from '@platformatic/kafka'
import { Command, InvalidArgumentError } from 'commander'
import { table } from '../table.js'
import type { Terminal } from '../terminal.js'
import { bootstrapOption, withAdmin } from './clients.js'
import { parseAssignments } from './config-assignments.js'
import { logBounds, partitionsOf } from './offset-spec.js'

interface TopicsOptions {
  readonly bootstrap: string
  readonly json?: boolean
}

/** `headrace topics`. */
export function topicsCommand(terminal: Terminal): Command {
  const command = new Command('topics').description('list, create, delete, describe topics; add partitions')
  command
    .command('list')
    .description('names and numbers of partitions')
    .addOption(bootstrapOption())
    .option('--json', 'one JSON object per line')
    .action((options: TopicsOptions) => withAdmin(options.bootstrap, (admin) => list(admin, options, terminal)))
  command
    .command('create <topic>')
    .description('create a topic')
    .addOption(bootstrapOption())
    .option('-p, --partitions <count>', "how many; default is the agents' own", parseCount)
    .option('-c, --config <name=value...>', 'configs of the topic')
    .action((topic: string, options: TopicsOptions & { partitions?: number; config?: string[] }) =>
      withAdmin(options.bootstrap, async (admin) => {
        const configs = Object.entries(parseAssignments(options.config ?? [])).map(([name, value]) => ({ name, value }))
        const counts = { partitions: options.partitions ?? -1, replicas: -1 }
        const [created] = await admin.createTopics({ topics: [topic], ...counts, configs })
        terminal.note(`Created ${topic} with ${created?.partitions ?? 'its'} partitions.\n`)
      }),
    )
  command
    .command('delete <topic...>')
    .description('delete topics and their records')
    .addOption(bootstrapOption())
    .action((topics: string[], options: TopicsOptions) =>
      withAdmin(options.bootstrap, async (admin) => {
        await admin.deleteTopics({ topics })
        terminal.note(`Deleted ${topics.join(', ')}.\n`)
      }),
    )
  command
    .command('describe <topic>')
    .description('partitions with their leaders, offsets and sizes')
    .addOption(bootstrapOption())
    .option('--json', 'one JSON object per line')
    .action((topic: string, options: TopicsOptions) =>
      withAdmin(options.bootstrap, (admin) => describe(admin, topic, options, terminal)),
    )
  command
    .command('add-partitions <topic> <count>')
    .description('let the topic have <count> partitions in all')
    .addOption(bootstrapOption())
    .action((topic: string, count: string, options: TopicsOptions) =>
      withAdmin(options.bootstrap, async (admin) => {
        await admin.createPartitions({ topics: [{ name: topic, count: parseCount(count), assignments: null }] })
        terminal.note(`${topic} has ${count} partitions now.\n`)
      }),
    )
  return command
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Use a number from 1 on.')
}

async function list(admin: Admin, { json }: TopicsOptions, terminal: Terminal): Promise<void> {
  const names = await admin.listTopics()
  const { topics } = await admin.metadata({ topics: names, autocreateTopics: false })
  const rows = names.map((name) => ({ topic: name, partitions: topics.get(name)?.partitionsCount ?? 0 }))
  if (json === true) return terminal.write(jsonLines(rows))
  if (rows.length === 0) return terminal.note('There are no topics.\n')
  await terminal.write(
    table([['TOPIC', 'PARTITIONS'], ...rows.map(({ topic, partitions }) => [topic, String(partitions)])]),
  )
}

async function describe(admin: Admin, topic: string, { json }: TopicsOptions, terminal: Terminal): Promise<void> {
  const partitions = await partitionsOf(admin, topic)
  const { topics } = await admin.metadata({ topics: [topic], autocreateTopics: false })
  const { earliest, latest } = await logBounds(admin, topic, partitions)
  const sizes = await sizesOf(admin, topic, partitions)
  const rows = partitions.map((partition) => ({
    topic,
    partition,
    leader: topics.get(topic)?.partitions[partition]?.leader ?? -1,
    earliest: Number(earliest.get(partition) ?? -1n),
    latest: Number(latest.get(partition) ?? -1n),
    bytes: sizes.get(partition) ?? 0,
  }))
  if (json === true) return terminal.write(jsonLines(rows))
  const cells = rows.map(({ topic: _, ...row }) => Object.values(row).map(String))
  await terminal.write(table([['PARTITION', 'LEADER', 'EARLIEST', 'LATEST', 'BYTES'], ...cells]))
}

async function sizesOf(admin: Admin, topic: string, partitions: readonly number[]): Promise<Map<number, number>> {
  const brokers = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [...partitions] }] })
  const sizes = new Map<number, number>()
  for (const { results } of brokers) {
    for (const found of results.flatMap(({ topics }) => topics)) {
      if (found.name !== topic) continue
      for (const { partitionIndex, partitionSize } of found.partitions) sizes.set(partitionIndex, Number(partitionSize))
    }
  }
  return sizes
}

export function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
