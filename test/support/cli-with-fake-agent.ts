import { setTimeout as sleep } from 'node:timers/promises'
import { describeFailure } from '../../adapters/cli/failure.js'
import { createProgram } from '../../adapters/cli/program.js'
import { type AgentOptions, resolveConfig } from '../../adapters/config/index.js'

/**
 * The command line as a process of its own with an agent that does nothing: for what only a process can show, signals
 * and exit codes. FAKE_START_ERROR makes it fail to start; FAKE_START_MS and FAKE_CLOSE_MS say how
 * long it takes to start and to stop.
 */
async function startFakeAgent(options: AgentOptions) {
  const { FAKE_START_ERROR: failure, FAKE_START_MS: startMs = '0', FAKE_CLOSE_MS: closeMs = '0' } = process.env
  if (failure !== undefined) throw Object.assign(new Error('failed'), JSON.parse(failure))
  if (startMs !== '0') process.stdout.write('starting\n')
  await sleep(Number(startMs))
  const config = resolveConfig(options)
  const keepAlive = setInterval(() => {}, 1_000)
  return {
    listeners: config.listeners.map(({ name, listen }) => ({ name, ...listen })),
    config,
    async close() {
      await sleep(Number(closeMs))
      clearInterval(keepAlive)
      process.stdout.write('closed\n')
    },
  }
}

try {
  await createProgram({
    env: process.env,
    startAgent: startFakeAgent,
    openCatalog: async () => ({ listAgents: async () => [], close: async () => {} }),
    write: (text) => process.stdout.write(text),
  }).parseAsync()
} catch (error) {
  process.stderr.write(`headrace: ${describeFailure(error)}\n`)
  process.exit(1)
}
