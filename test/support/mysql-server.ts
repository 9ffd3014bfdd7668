import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import mysql from 'mysql2/promise'

/** A private database server: its process, its data directory, and nothing of the machine's own configuration. */
export interface MysqlServer {
  readonly url: string
  stop(): Promise<void>
  kill(): Promise<void>
  restart(): Promise<void>
}

const USER = 'headrace'
const PASSWORD = 'headrace-test-password'
const START_TIMEOUT_MS = 90_000

export async function startMysqlServer(): Promise<MysqlServer> {
  const program = findProgram('mariadbd') ?? findProgram('mysqld')
  if (!program) {
    throw new Error(
      'no MySQL-compatible server is installed: install mariadb-server-core (Debian) or MySQL 8, or set HEADRACE_TEST_MYSQL to mysql://user:password@host:port',
    )
  }
  const directory = await mkdtemp(join(tmpdir(), 'headrace-mysql-'))
  const data = join(directory, 'data')
  await mkdir(data)
  // The server empties its temporary directory when it starts: of servers that share one, the last is the only one to live.
  const env = { ...process.env, TMPDIR: directory }
  initialize(program, data, env)
  const port = await freePort()
  const url = `mysql://${USER}:${PASSWORD}@127.0.0.1:${port}`
  const options = await serverOptions(directory, data, port)

  let running = await start(program, options, directory, url, env)
  const onExit = () => {
    running.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', onExit)
  const end = (signal: NodeJS.Signals) => ended(running, signal)
  return {
    url,
    kill: () => end('SIGKILL'),
    restart: async () => {
      running = await start(program, options, directory, url, env)
    },
    stop: async () => {
      process.off('exit', onExit)
      // Nobody reads the data again, so there is nothing to shut down gracefully.
      await end('SIGKILL')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function initialize(program: string, data: string, env: NodeJS.ProcessEnv): void {
  const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []
  const installer = program.endsWith('mariadbd') ? findProgram('mariadb-install-db') : undefined
  const [command, args] = installer
    ? [installer, ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db']]
    : [program, ['--no-defaults', '--initialize-insecure', `--datadir=${data}`]]
  const { status, stderr, stdout } = spawnSync(command, [...args, ...asRoot], { encoding: 'utf8', env })
  if (status !== 0) throw new Error(`${command} failed with ${status}: ${stdout}${stderr}`)
}

async function serverOptions(directory: string, data: string, port: number): Promise<string[]> {
  const initFile = join(directory, 'init.sql')
  const users = ['%', 'localhost', '127.0.0.1'].map((host) => `'${USER}'@'${host}'`)
  const statements = users.flatMap((user) => [
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY '${PASSWORD}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${user};`,
  ])
  await writeFile(initFile, `${statements.join('\n')}\n`)
  return [
    '--no-defaults',
    ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(directory, 'mysql.sock')}`,
    `--pid-file=${join(directory, 'mysql.pid')}`,
    `--log-error=${join(directory, 'error.log')}`,
    `--init-file=${initFile}`,
    '--skip-name-resolve',
    '--skip-log-bin',
    '--max-connections=300',
    '--performance-schema=OFF',
    '--innodb-buffer-pool-size=64M',
    // Survives the death of the process, which is all that a test can bring about.
    '--innodb-flush-log-at-trx-commit=2',
    '--innodb-doublewrite=OFF',
  ]
}

async function start(
  program: string,
  options: string[],
  directory: string,
  url: string,
  env: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  const child = spawn(program, options, { stdio: 'ignore', env })
  const deadlineMs = Date.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      const connection = await mysql.createConnection(url)
      await connection.end()
      return child
    } catch (error) {
      const dead = child.exitCode !== null || child.signalCode !== null
      if (dead || Date.now() > deadlineMs) {
        if (!dead) await ended(child, 'SIGKILL')
        const log = await readFile(join(directory, 'error.log'), 'utf8').catch(() => 'no log')
        throw new Error(`${program} did not start (${String(error)}):\n${log.slice(-3000)}`)
      }
    }
    await sleep(50)
  }
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.kill(signal)
  })
}

function findProgram(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path))
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
