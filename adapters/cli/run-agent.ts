import { type AgentConfig, type AgentOptions, formatHostPort, type HostPort } from '../config/index.js'

/** `startAgent`, or what stands in for it in a test. */
export type AgentStarter = (options: AgentOptions) => Promise<RunningAgent>

/** What running an agent from the command line needs of it. */
export interface RunningAgent {
  readonly kafka: HostPort
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
  const agent = await startAgent(options)
  mayStopInOrder = true
  process.stdout.write(`headrace listening on ${formatHostPort(agent.kafka)}\n`)
  await stopped
  const deadline = setTimeout(() => {
    process.stderr.write('headrace: stopping took longer than --shutdown-timeout; ended without waiting further\n')
    process.exit(1)
  }, agent.config.shutdownTimeoutMs + CLOSE_GRACE_MS)
  await agent.close()
  clearTimeout(deadline)
  process.exit(0)
}
