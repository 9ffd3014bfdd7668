import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const CALL_TIMEOUT_MS = 150_000
const ERROR_BYTES_MAX = 20_000

/** A client in a process of its own, asked and answering in lines of JSON: `{id, call, args}`, `{id, result | error}`. */
export class JsonLinesProcess {
  readonly #child: ChildProcess
  readonly #calls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #errors = ''
  #lastId = 0

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const endWithUs = () => this.#child.kill('SIGKILL')
    process.once('exit', endWithUs)
    this.#child.stdin!.on('error', () => {})
    this.#child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-ERROR_BYTES_MAX)
    })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#answer(line))
    this.#child.once('error', (error) => this.#failAll(error))
    this.#child.once('close', (code, signal) => {
      process.removeListener('exit', endWithUs)
      this.#failAll(new Error(`${command} ${args.join(' ')} ended with ${signal ?? code}:\n${this.#errors}`))
    })
  }

  call<T>(call: string, args: object = {}): Promise<T> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise<unknown>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${call} took more than ${CALL_TIMEOUT_MS} ms:\n${this.#errors}`)),
        CALL_TIMEOUT_MS,
      )
      const settle = (then: () => void) => {
        clearTimeout(timer)
        this.#calls.delete(id)
        then()
      }
      this.#calls.set(id, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      })
      this.#child.stdin!.write(`${JSON.stringify({ id, call, args })}\n`)
    }) as Promise<T>
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000)
      this.#child.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#child.stdin!.end()
    })
  }

  #answer(line: string): void {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string }
    const call = this.#calls.get(id)
    if (error === undefined) call?.resolve(result ?? undefined)
    else call?.reject(new Error(error))
  }

  #failAll(error: Error): void {
    for (const call of this.#calls.values()) call.reject(error)
  }
}
