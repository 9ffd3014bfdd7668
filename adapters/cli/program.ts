import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { agentCommand, type CliEnvironment } from './agent-command.js'
import { type AgentsEnvironment, agentsCommand } from './agents-command.js'
import { jobCommands } from './job-commands.js'
import { configsCommand } from './kafka/configs.js'
import { consumeCommand } from './kafka/consume.js'
import { groupsCommand } from './kafka/groups.js'
import { produceCommand } from './kafka/produce.js'
import { topicsCommand } from './kafka/topics.js'
import { segmentCommand } from './segment.js'
import { segmentsCommand } from './segments-command.js'
import { processTerminal, type Terminal } from './terminal.js'

/** The command line, ready to parse. Failures of commands reject; wrong usage prints one line and exits. */
export function createProgram(
  environment: CliEnvironment & AgentsEnvironment,
  terminal: Terminal = processTerminal(),
): Command {
  const program = new Command('headrace')
  program
    .description('Kafka-compatible streaming whose only storage is an object store')
    .version(packageVersion())
    .addCommand(agentCommand(environment))
    .addCommand(agentsCommand(environment))
    .addCommand(segmentCommand())
    .addCommand(segmentsCommand(environment))
    .addCommand(topicsCommand(terminal))
    .addCommand(configsCommand(terminal))
    .addCommand(groupsCommand(terminal))
    .addCommand(produceCommand(terminal))
    .addCommand(consumeCommand(terminal))
  for (const command of jobCommands(environment)) program.addCommand(command)
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.configureOutput({ outputError: (text, write) => write(`headrace: ${oneLine(text)}\n`) })
  }
  return program
}

function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ')
}
