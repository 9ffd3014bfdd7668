import { readdirSync, readFileSync } from 'node:fs'

const RSS_INTERVAL_MS = 100

export interface Usage {
  /** Of the process, over all its threads. */
  readonly cpuMs: number
  readonly durationMs: number
  /** Shares of one core: the thread that runs JavaScript and sockets, the busiest of the others, and all others together. */
  readonly mainThreadShare: number
  readonly busiestOtherShare: number
  readonly restShare: number
  readonly rssBytesMax: number
}

/** CPU time by thread and memory of another process, between `begin` and `end`; from /proc, so on Linux only. */
export class UsageMeter {
  readonly #pid: number
  #startedAtMs = 0
  #before: ReadonlyMap<number, number> = new Map()
  #rssBytesMax = 0
  #timer: NodeJS.Timeout | undefined

  constructor(pid: number) {
    this.#pid = pid
  }

  begin(): void {
    this.#startedAtMs = performance.now()
    this.#before = threadCpuMs(this.#pid)
    this.#rssBytesMax = rssBytes(this.#pid)
    this.#timer = setInterval(() => {
      this.#rssBytesMax = Math.max(this.#rssBytesMax, rssBytes(this.#pid))
    }, RSS_INTERVAL_MS)
  }

  end(): Usage {
    clearInterval(this.#timer)
    const durationMs = performance.now() - this.#startedAtMs
    const spent = [...threadCpuMs(this.#pid)].map(([thread, cpuMs]) => ({
      thread,
      cpuMs: cpuMs - (this.#before.get(thread) ?? 0),
    }))
    const others = spent.filter(({ thread }) => thread !== this.#pid).map(({ cpuMs }) => cpuMs)
    const mainMs = spent.find(({ thread }) => thread === this.#pid)?.cpuMs ?? 0
    const busiestMs = Math.max(0, ...others)
    const cpuMs = mainMs + others.reduce((sum, ms) => sum + ms, 0)
    return {
      cpuMs,
      durationMs,
      mainThreadShare: mainMs / durationMs,
      busiestOtherShare: busiestMs / durationMs,
      restShare: (cpuMs - mainMs - busiestMs) / durationMs,
      rssBytesMax: Math.max(this.#rssBytesMax, rssBytes(this.#pid)),
    }
  }
}

/** Time on a core so far by thread id; the scheduler counts nanoseconds where `stat` counts ticks. */
function threadCpuMs(pid: number): ReadonlyMap<number, number> {
  const threads = new Map<number, number>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const [onCoreNs = ''] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')
      threads.set(Number(thread), Number(onCoreNs) / 1e6)
    } catch {
      // It ended since the directory was read.
    }
  }
  return threads
}

export function rssBytes(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}
