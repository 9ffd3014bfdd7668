/**
 * Runs a chosen part of the tests on the other versions of Node we promise to run on: what depends on the runtime (codecs,
 * native packages, threads and their boundary, sockets, streams, HTTP) and a whole agent with real clients. The
 * binaries come from the npm package `node`, into a cache beside the dependencies, and not as one of them.
 *
 * `npm run test:nodes [-- 22 24]`; the last line per version is `node v22.x: N passed, M failed`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const VERSIONS = ['22', '24']

const PARTS = [
  'format',
  'golden',
  'engine',
  'workers',
  'adapters/config',
  'adapters/http',
  'adapters/kafka',
  'adapters/object-store',
  'adapters/worker-pool',
  'adapters/catalog/sqlite.test.js',
  'e2e/process.test.js',
  'e2e/wire.test.js',
  'e2e/listeners.test.js',
  'e2e/offsets-by-timestamp.test.js',
]

const root = fileURLToPath(new URL('../../../', import.meta.url))
const testFolder = join(root, 'dist/test')

function filesOf(part: string): string[] {
  const place = join(testFolder, part)
  if (part.endsWith('.test.js')) return [place]
  if (!existsSync(place)) return []
  return readdirSync(place, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => join(place, name))
}

interface OtherNode {
  readonly bin: string
  readonly version: string
}

function fetchNode(major: string): OtherNode {
  const directory = join(root, 'node_modules/.cache/headrace-nodes', major)
  const bin = join(directory, 'node_modules/node/bin/node')
  if (!existsSync(bin)) {
    mkdirSync(directory, { recursive: true })
    const args = ['install', '--prefix', directory, '--no-save', '--no-package-lock', '--no-audit', '--no-fund']
    // Its install script puts the binary in place.
    spawnSync('npm', [...args, '--ignore-scripts=false', `node@${major}`], { cwd: directory, stdio: 'inherit' })
  }
  const { stdout } = spawnSync(bin, ['--version'], { encoding: 'utf8' })
  const version = stdout?.trim() ?? ''
  if (!version.startsWith(`v${major}.`))
    throw new Error(`npm brought no Node ${major}: ${bin} is ${version || 'absent'}`)
  return { bin, version }
}

interface Totals {
  readonly passed: number
  readonly failed: number
}

/** Passes tap's output on and answers its totals; a run that broke off counts as a failure. */
function runTests({ bin }: OtherNode, files: readonly string[]): Promise<Totals> {
  const env = { ...process.env, PATH: `${dirname(bin)}:${process.env['PATH'] ?? ''}` }
  const tap = join(root, 'node_modules/.bin/tap')
  const child = spawn(bin, [tap, '--reporter=tap', ...files], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
    process.stdout.write(chunk)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const [totals = ''] = output.match(/^# \{ total: .*\}/gm)?.slice(-1) ?? []
      const count = (name: string) => Number(new RegExp(`${name}: (\\d+)`).exec(totals)?.[1] ?? 0)
      const passed = count('pass')
      resolve({ passed, failed: Math.max(count('fail'), code === 0 && passed > 0 ? 0 : 1) })
    })
  })
}

const versions = process.argv.length > 2 ? process.argv.slice(2) : VERSIONS
const files = PARTS.flatMap(filesOf)
const lines: string[] = []
for (const major of versions) {
  const node = fetchNode(major)
  const { passed, failed } = await runTests(node, files)
  lines.push(`node ${node.version}: ${passed} passed, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}
console.log(lines.join('\n'))
