#!/usr/bin/env node
import { startAgent } from '../agent.js'
import { describeFailure } from './failure.js'
import { createProgram } from './program.js'

try {
  await createProgram({ env: process.env, startAgent }).parseAsync()
} catch (error) {
  process.stderr.write(`headrace: ${describeFailure(error)}\n`)
  // Not exitCode: what a half-started command left running must not keep the process.
  process.exit(1)
}
