/**
 * What the tests need beside npm packages: a MySQL-compatible server, kcat, which is librdkafka's command-line client, and
 * the clients for Python. With `--compat` also what compiles a program against librdkafka.
 * Runs before the tests do. On Debian and as root it installs what is missing; elsewhere it says what to install. It
 * never lets tests be skipped silently.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type MissingProgram, missingPrograms, type Prerequisite } from './missing-programs.js'

const PYTHON_MODULES = '/usr/lib/python3/dist-packages'

const prerequisites: readonly Prerequisite[] = [
  {
    // Only the programs: the full package would also set up a database and start it as a service.
    name: 'a MySQL-compatible server (mariadbd or mysqld)',
    programs: ['mariadbd', 'mysqld'],
    debianPackages: ['mariadb-server-core', 'mariadb-client-core'],
    substituteEnv: 'HEADRACE_TEST_MYSQL',
  },
  { name: 'kcat', programs: ['kcat'], debianPackages: ['kcat'] },
  pythonModule('confluent_kafka', 'python3-confluent-kafka'),
  pythonModule('kafka', 'python3-kafka'),
  // Codecs that kafka-python leaves to its users.
  pythonModule('lz4', 'python3-lz4'),
  pythonModule('snappy', 'python3-snappy'),
  pythonModule('zstandard', 'python3-zstandard'),
  ...(process.argv.includes('--compat')
    ? [
        // gcc alone comes without the C library's headers.
        { name: 'a C compiler (gcc)', programs: ['gcc'], debianPackages: ['gcc', 'libc6-dev'] },
        header('librdkafka/rdkafka.h', 'librdkafka-dev'),
        header('jansson.h', 'libjansson-dev'),
      ]
    : []),
]

function pythonModule(module: string, debianPackage: string): Prerequisite {
  return {
    name: `the Python module ${module}`,
    programs: [module],
    place: PYTHON_MODULES,
    debianPackages: [debianPackage],
    // An interpreter that has them all.
    substituteEnv: 'HEADRACE_TEST_PYTHON',
  }
}

function header(file: string, debianPackage: string): Prerequisite {
  return { name: `the C header ${file}`, programs: [file], place: '/usr/include', debianPackages: [debianPackage] }
}

const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']

function find(): MissingProgram[] {
  const exists = (program: string, place?: string) =>
    (place === undefined ? directories : [place]).some((directory) => existsSync(join(directory, program)))
  return missingPrograms(prerequisites, exists, process.env)
}

const missing = find()
if (missing.length > 0) {
  const canInstall = existsSync('/etc/debian_version') && process.getuid?.() === 0
  if (canInstall) installDebian(missing.flatMap((program) => program.debianPackages))
  const still = canInstall ? find() : missing
  if (still.length > 0) {
    for (const program of still) console.error(`missing: ${program.name}. ${program.hint}`)
    console.error('The tests need these and are not run without them.')
    process.exitCode = 1
  }
}

function installDebian(packages: readonly string[]): void {
  console.log(`installing ${packages.join(', ')}`)
  // Another apt may be at work on this machine.
  const lock = ['-o', 'DPkg::Lock::Timeout=300']
  apt([...lock, 'update'])
  apt([...lock, 'install', '-y', '--no-install-recommends', ...packages])
}

function apt(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { status, error } = spawnSync('apt-get', args, { stdio: ['ignore', 'inherit', 'inherit'], env })
  if (status !== 0) console.error(`apt-get ${args.join(' ')} failed: ${error?.message ?? `exit status ${status}`}`)
}
