import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { GroupProgress } from './group-workload.js'

const CONSUMER = fileURLToPath(new URL('./group-consumer.js', import.meta.url))

/** As many member processes as wanted, all the time: as under an orchestrator, one that ends is started again. */
export class GroupMembers {
  readonly #agents: readonly string[]
  readonly #progress: GroupProgress
  readonly #running: ChildProcess[] = []
  readonly #ended: Promise<void>[] = []
  readonly #killAll = () => {
    for (const child of this.#running) child.kill('SIGKILL')
  }
  #stopping = false

  constructor(agents: readonly string[], progress: GroupProgress, count: number) {
    this.#agents = agents
    this.#progress = progress
    process.once('exit', this.#killAll)
    while (this.#running.length < count) this.#start()
  }

  /** Sends the signal to one of them; `pick` chooses. Another one takes its place at once. */
  end(pick: (members: readonly ChildProcess[]) => ChildProcess, signal: NodeJS.Signals): void {
    const child = pick(this.#running)
    this.#remove(child)
    this.#start()
    child.kill(signal)
  }

  /** Ends all of them. Their last words have been heard when it resolves. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#killAll()
    await Promise.all(this.#ended)
    process.removeListener('exit', this.#killAll)
  }

  #start(): void {
    const child = spawn(process.execPath, ['--enable-source-maps', CONSUMER], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, GROUP_AGENTS: this.#agents.join(',') },
    })
    this.#running.push(child)
    let rest = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#progress.note(line)
    })
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => {
        if (this.#remove(child) && !this.#stopping) this.#start()
        resolve()
      })
    })
    this.#ended.push(ended)
  }

  #remove(child: ChildProcess): boolean {
    const place = this.#running.indexOf(child)
    if (place >= 0) this.#running.splice(place, 1)
    return place >= 0
  }
}
