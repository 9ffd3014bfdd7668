import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../adapters/cli/main.js', import.meta.url))

export interface CliRun {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface CliOptions {
  /** The whole of standard input. */
  readonly input?: string | Uint8Array
  /** Sends SIGTERM once the output has this many lines. */
  readonly stopAfterLines?: number
  /** The beginning of a standard input that stays open. */
  readonly firstInput?: string
  /** Sends SIGTERM when it resolves. */
  readonly stop?: Promise<unknown>
}

const TIMEOUT_MS = 60_000

/** Runs the built command line as a process of its own. */
export function runCli(
  args: readonly string[],
  { input, firstInput, stopAfterLines, stop }: CliOptions = {},
): Promise<CliRun> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    out.push(chunk)
    const lines = Buffer.concat(out).toString().split('\n').length - 1
    if (stopAfterLines !== undefined && lines >= stopAfterLines) child.kill('SIGTERM')
  })
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  // A command that fails before it reads closes its end.
  child.stdin.on('error', () => {})
  if (input !== undefined) child.stdin.end(input)
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
  if (firstInput !== undefined) child.stdin.write(firstInput)
  void stop?.then(() => child.kill('SIGTERM'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      child.stdin.destroy()
      resolve({ code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() })
    })
  })
}
