import { Command, Option } from 'commander'
import { type AgentOptions, kebabName, loadOptions, type SettingGroup, settingKeys, settings } from '../config/index.js'
import { type AgentStarter, runAgent } from './run-agent.js'

const GROUPS: readonly SettingGroup[] = [
  'Network',
  'Storage',
  'Write path',
  'Topics',
  'Consumer groups',
  'Background work',
  'Process',
]

const NOTES = `
Every setting is also an environment variable (--flush-interval: HEADRACE_FLUSH_INTERVAL) and a key of the config
file (flush-interval). Flags win over variables, variables over the file.

Durations are written 250ms, 1s, 10m; sizes 8MiB, 512MB or as plain bytes.
SIGTERM and SIGINT stop the agent once what it has accepted is stored; a second one stops it at once.
`

export interface CliEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly startAgent: AgentStarter
}

/** `headrace agent`: one flag per setting, taken from the schema. */
export function agentCommand({ env, startAgent }: CliEnvironment): Command {
  const command = new Command('agent').description('run an agent: Kafka listener, writers, readers, all in one process')
  command.optionsGroup('General:').option('--config <file>', 'YAML or JSON file with settings; also HEADRACE_CONFIG')
  for (const group of GROUPS) {
    for (const key of settingKeys.filter((candidate) => settings[candidate].group === group)) {
      const { placeholder, description, defaultText } = settings[key]
      const option = new Option(`--${kebabName(key)} <${placeholder}>`, `${description} (default: ${defaultText})`)
      command.addOption(option.helpGroup(`${group}:`))
    }
  }
  command.addHelpText('after', NOTES)
  command.action(async (flags: Record<string, string | undefined>) => {
    const options: AgentOptions = loadOptions({ flags, env, file: flags['config'] })
    await runAgent(options, startAgent)
  })
  return command
}
