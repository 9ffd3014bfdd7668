import { describeFailure } from '../../adapters/cli/failure.js'
import { createProgram } from '../../adapters/cli/program.js'
import type { Terminal } from '../../adapters/cli/terminal.js'
import type { CliRun } from './run-cli.js'

/** Runs a command of the command line in this process, for the sake of time. Wrong usage would end the process. */
export async function runCommand(args: readonly string[], input = ''): Promise<CliRun> {
  const out: Buffer[] = []
  let err = ''
  const terminal: Terminal = {
    input: (async function* () {
      yield Buffer.from(input)
    })(),
    isWatched: false,
    stopped: new AbortController().signal,
    note: (text) => {
      err += text
    },
    write: async (text) => void out.push(Buffer.from(text)),
  }
  const unused = () => Promise.reject(new Error('not a command of this test'))
  let code = 0
  try {
    const program = createProgram({ env: {}, startAgent: unused, openCatalog: unused, write: () => {} }, terminal)
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    err += `headrace: ${describeFailure(error)}\n`
    code = 1
  }
  return { code, out: Buffer.concat(out).toString(), err }
}
