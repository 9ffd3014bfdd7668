import { type ChildProcess, spawn } from 'node:child_process'
import { Readable } from 'node:stream'

const TIMEOUT_MS = 120_000

/** One record as kcat prints it. */
export interface KcatRecord {
  readonly partition: number
  readonly offset: number
  /** Null where the record has none; empty where it has an empty one. */
  readonly key: Buffer | null
  readonly value: Buffer | null
}

export interface KcatOptions {
  readonly brokers: string
  /** What kcat reads on standard input. */
  readonly input?: string | Uint8Array | Iterable<string> | AsyncIterable<string>
  readonly timeoutMs?: number
}

/** Produces with librdkafka; every record was acknowledged when this resolves. */
export async function kcatProduce(topic: string, args: readonly string[], options: KcatOptions): Promise<void> {
  await runKcat(['-P', '-t', topic, ...args], options)
}

/** Reads a topic from its beginning to the end it has when its reader gets there. */
export async function kcatConsume(
  topic: string,
  options: KcatOptions,
  args: readonly string[] = [],
): Promise<KcatRecord[]> {
  // Lengths before contents, so that keys and values may hold any byte.
  const format = '%p %o %K %S\\n%k%s'
  return [...parse(await runKcat(['-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', format, ...args], options))]
}

/** Runs kcat to its end and answers its standard output. @throws with its standard error when it fails */
export function runKcat(args: readonly string[], options: KcatOptions): Promise<Buffer> {
  const all = ['-b', options.brokers, '-X', 'broker.address.family=v4', ...args]
  const child = spawn('kcat', all, { stdio: ['pipe', 'pipe', 'pipe'] })
  const endWithUs = () => child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? TIMEOUT_MS)
  feed(child, options.input)
  const output: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-20_000)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      process.removeListener('exit', endWithUs)
      if (code === 0 && !errors.includes('Delivery failed')) resolve(Buffer.concat(output))
      else reject(new Error(`kcat ${args.join(' ')} ended with ${signal ?? code}:\n${errors}`))
    })
  })
}

function feed(child: ChildProcess, input: KcatOptions['input']): void {
  const stdin = child.stdin
  if (stdin === null) return
  // It may end before it has read everything; its exit status tells.
  stdin.on('error', () => {})
  if (input === undefined || typeof input === 'string' || input instanceof Uint8Array) stdin.end(input)
  else Readable.from(input, { objectMode: true }).pipe(stdin)
}

function* parse(output: Buffer): Generator<KcatRecord> {
  let position = 0
  while (position < output.byteLength) {
    const end = output.indexOf(10, position)
    const [partition = 0, offset = 0, keyBytes = 0, valueBytes = 0] = output
      .toString('latin1', position, end)
      .split(' ')
      .map(Number)
    const keyEnd = end + 1 + Math.max(0, keyBytes)
    position = keyEnd + Math.max(0, valueBytes)
    yield {
      partition,
      offset,
      key: keyBytes < 0 ? null : output.subarray(end + 1, keyEnd),
      value: valueBytes < 0 ? null : output.subarray(keyEnd, position),
    }
  }
}
