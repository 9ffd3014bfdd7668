import type { ConfigDescription, DescribeConfigsOptions } from '@platformatic/kafka'
import { Command } from 'commander'
import { table } from '../table.js'
import type { Terminal } from '../terminal.js'
import { bootstrapOption, withAdmin } from './clients.js'
import { parseAssignments } from './config-assignments.js'
import { jsonLines } from './topics.js'

/** Of the protocol. */
const RESOURCE_TOPIC = 2
const RESOURCE_BROKER = 4
const OPERATION_SET = 0
const OPERATION_DELETE = 1
const SOURCE_TOPIC = 1
const SOURCE_NAMES: Readonly<Record<number, string>> = { 1: 'topic', 4: 'agent', 5: 'default' }

interface ConfigsOptions {
  readonly bootstrap: string
  readonly json?: boolean
  readonly all?: boolean
  readonly agent?: boolean
}

/** `headrace configs`. */
export function configsCommand(terminal: Terminal): Command {
  const command = new Command('configs').description('describe, set and unset configs of topics')
  command
    .command('describe <topic>')
    .description('what is set on a topic; with --agent, the settings of the agent with that node id')
    .addOption(bootstrapOption())
    .option('--all', 'defaults too')
    .option('--agent', '<topic> is the node id of an agent')
    .option('--json', 'one JSON object per line')
    .action((name: string, options: ConfigsOptions) => describe(name, options, terminal))
  command
    .command('set <topic> <name=value...>')
    .description('set configs; the others stay as they are')
    .addOption(bootstrapOption())
    .action((topic: string, assignments: string[], options: ConfigsOptions) =>
      withAdmin(options.bootstrap, async (admin) => {
        const configs = Object.entries(parseAssignments(assignments)).map(([name, value]) => {
          return { name, configOperation: OPERATION_SET, value } as const
        })
        await admin.incrementalAlterConfigs({
          resources: [{ resourceType: RESOURCE_TOPIC, resourceName: topic, configs }],
        })
        terminal.note(`Set ${configs.map(({ name }) => name).join(', ')} on ${topic}.\n`)
      }),
    )
  command
    .command('unset <topic> <name...>')
    .description('let configs have their defaults again')
    .addOption(bootstrapOption())
    .action((topic: string, names: string[], options: ConfigsOptions) =>
      withAdmin(options.bootstrap, async (admin) => {
        const configs = names.map((name) => ({ name, configOperation: OPERATION_DELETE }) as const)
        await admin.incrementalAlterConfigs({
          resources: [{ resourceType: RESOURCE_TOPIC, resourceName: topic, configs }],
        })
        terminal.note(`Unset ${names.join(', ')} on ${topic}.\n`)
      }),
    )
  return command
}

async function describe(name: string, options: ConfigsOptions, terminal: Terminal): Promise<void> {
  const { bootstrap, json, all, agent } = options
  const resourceType = agent === true ? RESOURCE_BROKER : RESOURCE_TOPIC
  const request: DescribeConfigsOptions = {
    resources: [{ resourceType, resourceName: name, configurationKeys: null }],
    includeDocumentation: true,
  }
  const descriptions: ConfigDescription[] = await withAdmin(bootstrap, (admin) => admin.describeConfigs(request))
  const rows = descriptions
    .flatMap(({ configs }) => configs)
    .filter(({ configSource }) => all === true || agent === true || configSource === SOURCE_TOPIC)
    .map(({ name: config, value, configSource, documentation }) => {
      return { config, value, source: SOURCE_NAMES[configSource] ?? String(configSource), documentation }
    })
  if (json === true) return terminal.write(jsonLines(rows))
  if (rows.length === 0) return terminal.note(`Nothing is set on ${name}; --all shows the defaults.\n`)
  const cells = rows.map(({ config, value, source, documentation }) => [
    config,
    value ?? '-',
    source,
    documentation ?? '',
  ])
  await terminal.write(table([['CONFIG', 'VALUE', 'FROM', 'MEANING'], ...cells]))
}
