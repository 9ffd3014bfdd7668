import { Command } from 'commander'
import type { Agent, Catalog } from '../../engine/ports/catalog.js'
import { formatHostPort, loadOptions, resolveConfig } from '../config/index.js'
import { table } from './table.js'

export interface AgentsEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly openCatalog: (url: string) => Promise<Pick<Catalog, 'listAgents' | 'close'>>
  readonly write: (text: string) => void
}

/** An agent that has been silent this long is listed no more; it may have crashed, or lost the catalog. */
const SILENCE_MAX_MS = 60_000

/** `headrace agents`: the agents of a catalog, as clients find them. */
export function agentsCommand({ env, openCatalog, write }: AgentsEnvironment): Command {
  return new Command('agents')
    .description('list the agents that are registered in a catalog')
    .option('--config <file>', 'YAML or JSON file with settings; also HEADRACE_CONFIG')
    .option('--catalog <url>', 'the catalog the agents use; also HEADRACE_CATALOG')
    .option('--json', 'one JSON object per line')
    .action(async (flags: { config?: string; catalog?: string; json?: boolean }) => {
      const options = loadOptions({ flags: { catalog: flags.catalog }, env, file: flags.config })
      const catalog = await openCatalog(resolveConfig(options).catalog)
      try {
        const agents = await catalog.listAgents(SILENCE_MAX_MS)
        write(flags.json === true ? asJson(agents) : asTable(agents))
      } finally {
        await catalog.close()
      }
    })
}

function asJson(agents: readonly Agent[]): string {
  return agents.map((agent) => `${JSON.stringify(agent)}\n`).join('')
}

function asTable(agents: readonly Agent[]): string {
  if (agents.length === 0) return `No agent has been heard of in the last ${SILENCE_MAX_MS / 1000} s.\n`
  const rows = [
    ['NODE', 'ADDRESS', 'ZONE', 'LAST HEARTBEAT'],
    ...agents.map((agent) => [
      String(agent.nodeId),
      addressesOf(agent),
      agent.zone ?? '-',
      `${(agent.heartbeatAgeMs / 1000).toFixed(1)} s ago`,
    ]),
  ]
  return table(rows)
}

/** `host:port`, or each address behind its listener's name where there are several. */
function addressesOf(agent: Agent): string {
  if (agent.listeners.length < 2) return formatHostPort(agent)
  return agent.listeners.map((listener) => `${listener.name}://${formatHostPort(listener)}`).join(' ')
}
