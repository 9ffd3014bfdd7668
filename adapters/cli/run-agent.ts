import { type AgentConfig, type AgentOptions, formatHostPort, type HostPort } from '../config/index.js'
import { letSmallHeapsGrow } from './heap-growth.js'

/** `startAgent`, or what stands in for it in a test. */
export type AgentStarter = (options: AgentOptions) => Promise<RunningAgent>

/** What running an agent from the command line needs of it. */
export interface RunningAgent {
  /** Where it is bound, in the order of the configuration. */
  readonly listeners: readonly (HostPort & { readonly name: string })[]
  readonly config: Pick<AgentConfig, 'shutdownTimeoutMs'>
  close(): Promise<void>
}

/** Exit codes of processes that a signal ended, by custom: 128 + its number. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/** The listener gives its clients the whole timeout; what is left of closing then is quick, or it hangs. */
const CLOSE_GRACE_MS = 1_000

/**
 * Runs an agent until a signal, then ends the process. The first signal stops the agent in order. A second one, or one that
 * comes while the agent is still starting, ends the process where it stands, which loses nothing that was acknowledged.
 */
export async function runAgent(options: AgentOptions, startAgent: AgentStarter): Promise<void> {
  let mayStopInOrder = false
  const stopped = new Promise<void>((resolve) => {
    for (const [signal, exitCode] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (!mayStopInOrder) process.exit(exitCode)
        mayStopInOrder = false
        resolve()
      })
    }
  })
  letSmallHeapsGrow()
  const agent = await startAgent(options)
  mayStopInOrder = true
  process.stdout.write(listeningLines(agent.listeners))
  await stopped
  const deadline = setTimeout(() => {
    process.stderr.write('headrace: stopping took longer than --shutdown-timeout; ended without waiting further\n')
    process.exit(1)
  }, agent.config.shutdownTimeoutMs + CLOSE_GRACE_MS)
  await agent.close()
  clearTimeout(deadline)
  process.exit(0)
}

/** One line per listener; the name is said only where there are several. */
function listeningLines(listeners: RunningAgent['listeners']): string {
  const names = listeners.map(({ name }) => (listeners.length > 1 ? ` as ${name}` : ''))
  return listeners.map((address, place) => `headrace listening on ${formatHostPort(address)}${names[place]}\n`).join('')
}
