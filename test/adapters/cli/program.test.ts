import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { kebabName, settingKeys, settings } from '../../../adapters/config/index.js'

const script = fileURLToPath(new URL('../../support/cli-with-fake-agent.js', import.meta.url))

interface Run {
  readonly child: ChildProcessWithoutNullStreams
  readonly stdout: () => string
  readonly finished: Promise<{ code: number | null; stdout: string; stderr: string }>
}

function run(t: Test, args: readonly string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'] ?? '', COLUMNS: '120', ...env },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return { child, stdout: () => stdout, finished }
}

async function runUntilListening(t: Test, args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return until('listening', run(t, args, env))
}

async function until(word: string, running: Run): Promise<Run> {
  while (!running.stdout().includes(word)) await Promise.race([once(running.child.stdout, 'data'), running.finished])
  return running
}

t.test('--version is the package version', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8'))
  t.equal((await run(t, ['--version']).finished).stdout, `${version}\n`)
})

t.test('help shows every setting with its default, in groups', async (t) => {
  const { stdout, code } = await run(t, ['agent', '--help']).finished
  t.equal(code, 0)
  const words = stdout.replaceAll(/\s+/g, ' ')
  for (const key of settingKeys) {
    t.match(words, `--${kebabName(key)} <${settings[key].placeholder}> `)
    t.match(words, `(default: ${settings[key].defaultText})`)
  }
  for (const group of ['General', 'Network', 'Storage', 'Write path', 'Topics', 'Process'])
    t.match(stdout, `\n${group}:\n`)
})

t.test('wrong usage is one line and exit code 1', async (t) => {
  const cases: readonly [args: string[], env: Record<string, string>, message: string][] = [
    [
      ['agent', '--flush-intervall', '1s'],
      {},
      "headrace: unknown option '--flush-intervall' (Did you mean --flush-interval?)\n",
    ],
    [['agent', '--workers', 'many'], {}, 'headrace: --workers: got "many", expected a whole number from 1 to 256\n'],
    [
      ['agent'],
      { HEADRACE_HTTP: 'nowhere' },
      'headrace: HEADRACE_HTTP: got "nowhere", expected HOST:PORT, such as 127.0.0.1:9080, or off\n',
    ],
    [['agent', 'extra'], {}, "headrace: too many arguments for 'agent'. Expected 0 arguments but got 1.\n"],
    [['agent', '--config', '/none/such'], {}, 'headrace: --config: cannot read /none/such (ENOENT)\n'],
    [['agnet'], {}, "headrace: unknown command 'agnet' (Did you mean agent?)\n"],
  ]
  for (const [args, env, message] of cases) {
    const { code, stderr, stdout } = await run(t, args, env).finished
    t.equal(stderr, message)
    t.equal(stdout, '')
    t.equal(code, 1)
  }
})

t.test('a taken port is one line and exit code 1', async (t) => {
  const error = { code: 'EADDRINUSE', syscall: 'listen', address: '::1', port: 9092 }
  const { code, stderr } = await run(t, ['agent'], { FAKE_START_ERROR: JSON.stringify(error) }).finished
  t.equal(
    stderr,
    'headrace: cannot listen on [::1]:9092: the port is in use; stop what uses it, or choose another with --listen (Kafka) or --http\n',
  )
  t.equal(code, 1)
})

t.test('several listeners are printed with their names', async (t) => {
  const listen = 'internal://127.0.0.1:7,external://[::1]:8'
  const { child, finished } = await runUntilListening(t, ['agent', '--listen', listen])
  child.kill('SIGTERM')
  const lines = ['headrace listening on 127.0.0.1:7 as internal', 'headrace listening on [::1]:8 as external', 'closed']
  t.equal((await finished).stdout, `${lines.join('\n')}\n`)
})

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`${signal} closes the agent and exits 0`, async (t) => {
    const { child, finished } = await runUntilListening(t, ['agent', '--listen', '127.0.0.1:7'])
    child.kill(signal)
    const { code, stdout } = await finished
    t.equal(stdout, 'headrace listening on 127.0.0.1:7\nclosed\n')
    t.equal(code, 0)
  })

  t.test(`a second ${signal} exits at once`, async (t) => {
    const { child, finished } = await runUntilListening(t, ['agent'], { FAKE_CLOSE_MS: '60000' })
    child.kill(signal)
    // Two signals at the same moment count once; the second must find the first one handled.
    const again = setInterval(() => child.kill(signal), 100)
    const { code, stdout } = await finished
    clearInterval(again)
    t.notMatch(stdout, 'closed')
    t.equal(code, signal === 'SIGINT' ? 130 : 143)
  })
}

t.test('a signal while the agent is starting exits at once', async (t) => {
  const { child, finished } = await until('starting', run(t, ['agent'], { FAKE_START_MS: '60000' }))
  child.kill('SIGTERM')
  t.equal((await finished).code, 143)
})

t.test('an agent that does not stop is ended after the timeout', async (t) => {
  const { child, finished } = await runUntilListening(t, ['agent', '--shutdown-timeout', '50ms'], {
    FAKE_CLOSE_MS: '60000',
  })
  child.kill('SIGTERM')
  const { code, stderr } = await finished
  t.match(stderr, 'stopping took longer than --shutdown-timeout')
  t.equal(code, 1)
})
