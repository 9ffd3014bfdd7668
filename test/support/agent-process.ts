import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../adapters/cli/main.js', import.meta.url))
const START_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 40_000
const LOG_BYTES_MAX = 1 << 20

export interface AgentProcessOptions {
  /** Flags after `headrace agent`; without `--listen` and `--http` free ports are taken. */
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export interface AgentExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The built agent as a process of its own: what users run. Whoever starts one ends it with `stop`. */
export interface AgentProcess {
  readonly host: string
  readonly port: number
  readonly httpPort: number
  readonly pid: number
  /** `host:port` of the Kafka listener, the first one. */
  readonly address: string
  /** `host:port` by the names of the listeners, where there are several. */
  readonly listeners: ReadonlyMap<string, string>
  readonly exited: Promise<AgentExit>
  kill(signal: NodeJS.Signals): void
  /** Standard output and error so far. */
  logs(): string
  /** Ends the process if it still runs: in order, and by force when that takes too long. */
  stop(): Promise<AgentExit>
}

/** Resolves once the agent takes requests. @throws with its output when it ends before */
export async function startAgentProcess(options: AgentProcessOptions): Promise<AgentProcess> {
  const args = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--log-format', 'json', ...options.args]
  const child = spawn(process.execPath, ['--enable-source-maps', MAIN, 'agent', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  const output = new ProcessOutput(child)
  const forceEnd = () => child.kill('SIGKILL')
  process.once('exit', forceEnd)
  const exited = new Promise<AgentExit>((resolve) => {
    child.once('exit', (code, signal) => {
      process.removeListener('exit', forceEnd)
      resolve({ code, signal })
    })
  })
  try {
    const [, host = '', port = ''] = await output.find(/^headrace listening on (.*):(\d+)(?: as .*)?$/m, exited)
    const [, httpPort = '0'] = await output.find(/"http":\{[^}]*"port":(\d+)/, exited)
    return agentProcess(child, output, exited, { host, port: Number(port), httpPort: Number(httpPort) })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}

function agentProcess(
  child: ChildProcess,
  output: ProcessOutput,
  exited: Promise<AgentExit>,
  place: { readonly host: string; readonly port: number; readonly httpPort: number },
): AgentProcess {
  return {
    ...place,
    pid: child.pid ?? 0,
    address: `${place.host}:${place.port}`,
    listeners: new Map(
      [...output.text.matchAll(/^headrace listening on (.*) as (.*)$/gm)].map(([, at = '', name = '']) => [name, at]),
    ),
    exited,
    kill: (signal) => void child.kill(signal),
    logs: () => output.text,
    async stop() {
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      const exit = await exited
      clearTimeout(timer)
      return exit
    },
  }
}

class ProcessOutput {
  text = ''
  #wake: () => void = () => {}

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        this.text = (this.text + chunk).slice(-LOG_BYTES_MAX)
        this.#wake()
      })
    }
  }

  async find(pattern: RegExp, exited: Promise<AgentExit>): Promise<RegExpMatchArray> {
    let ended: AgentExit | undefined
    void exited.then((exit) => {
      ended = exit
      this.#wake()
    })
    const deadlineMs = performance.now() + START_TIMEOUT_MS
    for (;;) {
      const match = this.text.match(pattern)
      if (match !== null) return match
      if (ended !== undefined) throw new Error(`the agent ended with ${ended.signal ?? ended.code}:\n${this.text}`)
      if (performance.now() > deadlineMs) throw new Error(`the agent did not start in time:\n${this.text}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
