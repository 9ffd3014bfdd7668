#!/usr/bin/env node
import { describeFailure } from './failure.js'
import { createProgram } from './program.js'

// The SDK's announcement that later versions of it will need a newer Node is for those who choose its version: us.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true'

try {
  const program = createProgram({
    env: process.env,
    // Loaded when an agent is started: help, and tools on segments, need neither the SDKs nor the drivers.
    startAgent: async (options) => (await import('../agent.js')).startAgent(options),
    openCatalog: async (url) => (await import('../catalog/index.js')).openCatalog(url),
    write: (text) => process.stdout.write(text),
  })
  await program.parseAsync()
  // Once everything is written: a client whose brokers have gone leaves timers behind, which would keep the process.
  process.stdout.write('', () => process.exit())
} catch (error) {
  process.stderr.write(`headrace: ${describeFailure(error)}\n`)
  // Not exitCode: what a half-started command left running must not keep the process.
  process.exit(1)
}
