import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** The rules of the house (docs/architecture.md), as far as text can prove them. */

const root = fileURLToPath(new URL('../../', import.meta.url))
const SOURCE_FOLDERS = ['format', 'workers', 'engine', 'adapters']
const TOP_FOLDERS = [...SOURCE_FOLDERS, 'test', 'bench', 'docs']
/** Made by tools, and not part of the repository. */
const GENERATED = ['node_modules', 'dist', 'headrace-data']
const LINES_MAX = 400
/** A suite of one port's contract may be longer than the code that keeps it. */
const TEST_LINES_MAX = 500

interface SourceFile {
  /** Relative to the repository, `/`-separated. */
  readonly path: string
  readonly text: string
  /** Without comments: what the compiler sees. */
  readonly code: string
  /** What it imports: packages by name, own files as paths relative to the repository. */
  readonly imports: readonly string[]
}

function readSources(folder: string): SourceFile[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  return files.map((entry) => readSource(join(entry.parentPath, entry.name)))
}

function readSource(file: string): SourceFile {
  const text = readFileSync(file, 'utf8')
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const specifiers = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
  const imports = specifiers.map((name) => (name.startsWith('.') ? relative(root, resolve(dirname(file), name)) : name))
  return { path: relative(root, file), text, code, imports }
}

const sources = SOURCE_FOLDERS.flatMap(readSources)

function inFolder(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(`${folder}/`))
}

/** Imports of files in `folder` that `allowed` does not let through, as readable lines. */
function strayImports(folder: string, allowed: (imported: string, importer: string) => boolean): string[] {
  return sources
    .filter(({ path }) => inFolder(path, folder))
    .flatMap(({ path, imports }) =>
      imports.filter((name) => !allowed(name, path)).map((name) => `${path} imports ${name}`),
    )
}

t.test('the top-level folders are those of the design', async (t) => {
  const entries = readdirSync(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name)
  const unknown = folders.filter((name) => !TOP_FOLDERS.includes(name) && !GENERATED.includes(name))
  t.strictSame(unknown, [])
  t.strictSame(
    [...SOURCE_FOLDERS, 'test', 'docs'].filter((name) => !folders.includes(name)),
    [],
  )
})

t.test('imports point inward', async (t) => {
  const codecPackages = [
    'crc-32',
    '@node-rs/crc32',
    'lz4-napi',
    'fzstd',
    'snappyjs',
    'node:zlib',
    'node:module',
    'node:assert/strict',
  ]
  const format = strayImports('format', (name) => inFolder(name, 'format') || codecPackages.includes(name))
  t.strictSame(format, [], 'format is pure and imports nothing of ours')

  // They compute and nothing else: uuid is given time and randomness, ipaddr.js reads addresses.
  const purePackages = ['uuid', 'ipaddr.js']
  const engine = strayImports('engine', (name) => inFolder(name, 'engine', 'format') || purePackages.includes(name))
  t.strictSame(engine, [], 'engine knows format and itself: no adapter, no worker, no built-in module')

  const workers = strayImports(
    'workers',
    (name) =>
      inFolder(name, 'workers', 'format', 'engine/ports', 'adapters/object-store') ||
      ['engine/errors.js', 'engine/model.js', 'node:worker_threads', 'node:perf_hooks', 'piscina'].includes(name),
  )
  t.strictSame(workers, [], 'workers know the format and the object stores they upload to')
})

t.test('only the composition root and the command line wire adapters together', async (t) => {
  const shared = ['adapters/logging.js', 'adapters/make-directory.js', 'adapters/system-clock.js']
  const isShared = (name: string) => inFolder(name, 'adapters/config') || shared.includes(name)
  const stray = strayImports('adapters', (name, importer) => {
    if (dirname(importer) === 'adapters' || inFolder(importer, 'adapters/cli')) return true
    if (inFolder(name, 'workers')) return inFolder(importer, 'adapters/worker-pool')
    return !inFolder(name, 'adapters') || isShared(name) || dirname(name).startsWith(areaOf(importer))
  })
  t.strictSame(stray, [])
})

/** `adapters/kafka/apis/api.ts` -> `adapters/kafka`. */
function areaOf(path: string): string {
  return path.split('/').slice(0, 2).join('/')
}

t.test('time, timers, randomness and the environment enter at the edge only', async (t) => {
  const forbidden =
    /\bDate\.now\b|\bnew Date\(\)|\bset(?:Timeout|Interval|Immediate)\b|\bMath\.random\b|\bprocess\.|\bperformance\.|\bcrypto\./
  const stray = sources
    .filter(({ path }) => inFolder(path, 'engine', 'format'))
    .flatMap(({ path, code }) =>
      code
        .split('\n')
        .filter((line) => forbidden.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
  t.strictSame(stray, [])
})

t.test('Buffer stays in adapters', async (t) => {
  // The LZ4 library takes and gives nothing else, and Buffer has the one fast copy; outside of these it is Uint8Array.
  const exempt = ['format/lz4.ts', 'format/copy.ts']
  const stray = sources.filter(
    ({ path, code }) => !inFolder(path, 'adapters') && !exempt.includes(path) && /\bBuffer\b/.test(code),
  )
  t.strictSame(
    stray.map(({ path }) => path),
    [],
  )
})

t.test('files are about one thing', async (t) => {
  const tooLong = (files: readonly SourceFile[], linesMax: number) =>
    files.filter(({ text }) => text.split('\n').length > linesMax).map(({ path }) => path)
  t.strictSame(tooLong(sources, LINES_MAX), [], `no source file is longer than ${LINES_MAX} lines`)
  t.strictSame(tooLong(readSources('test'), TEST_LINES_MAX), [], `no test is longer than ${TEST_LINES_MAX} lines`)
  const vague = sources.filter(({ path }) => /(^|\/)(utils?|helpers?|common|misc)(\.ts|\/)/.test(path))
  t.strictSame(vague, [], 'no drawer for odds and ends')
})

t.test('the map in docs/architecture.md shows every source folder', async (t) => {
  const map = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const folders = new Set(sources.map(({ path }) => `${dirname(path)}/`))
  t.strictSame(
    [...folders].filter((folder) => !map.includes(`\`${folder}\``)),
    [],
  )
})

t.test('no word of the house is left unfinished', async (t) => {
  // Built here from parts: this file is read too.
  const unfinished = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`)
  const found = [...sources, ...readSources('test')].filter(({ text }) => unfinished.test(text)).map(({ path }) => path)
  t.strictSame(found, [])
})
