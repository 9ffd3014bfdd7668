import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { describeFailure } from '../../adapters/cli/failure.js'
import {
  type AgentConfig,
  type AgentOptions,
  envName,
  kebabName,
  loadOptions,
  parseHostPort,
  resolveConfig,
  settingKeys,
} from '../../adapters/config/index.js'
import { parseObjectStoreUrl } from '../../adapters/object-store/index.js'
import { isHeadraceError } from '../../engine/errors.js'
import { MEMORY_BYTES_MIN } from '../../engine/memory-plan.js'
import { fuzz, fuzzSeed } from './fuzzing.js'

t.comment(`HEADRACE_FUZZ_SEED=${fuzzSeed}`)

const surroundings = { directory: '/srv/place', coreCount: 4, stderrIsTerminal: false }
const MESSAGE_CHARACTERS_MAX = 20_000

/** Values people write, and what they slip in. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom(
    '',
    ' ',
    '0',
    '-1',
    '1e99',
    '8MiB',
    '64MiB',
    '1GiB',
    '250ms',
    '1h',
    'NaN',
    '0x10',
    '٣',
    '1\n2',
    'true',
  ),
  fc.constantFrom('127.0.0.1:0', ':9092', '[::1]:9', '[::1', 'host:99999', 'a:b:c', 'off', 'file:///x', 'file:./%zz'),
  fc.constantFrom(
    'a://h:1,b://h:2',
    'h:1,h:2',
    'a://h:1,a://h:2',
    'default://h:0',
    'b://h:1',
    ',',
    '://:1',
    'h:1,default://h:2',
  ),
  fc.constantFrom(
    's3://b',
    'memory:',
    'sqlite:x',
    'mysql://u:secret@h/d',
    'mysql://u:se\ncret@h/d',
    '__proto__',
    'null',
  ),
)
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, [], {}, [1], { a: 1 }, Number.MAX_SAFE_INTEGER),
)
const unknownName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('__proto__', 'constructor', '<<'),
)
const key = fc.constantFrom(...settingKeys)

/** The outcome, unless it is a bug: anything but a valid config or one line that says CONFIG_INVALID. */
function configOf(load: () => AgentConfig): AgentConfig | undefined {
  try {
    return checked(load())
  } catch (error) {
    if (!isHeadraceError(error, 'CONFIG_INVALID')) throw error
    const { message } = error
    if (/[\n\r]/.test(message)) throw new Error(`more than one line: ${JSON.stringify(message)}`)
    if (message.includes('undefined') || message === '') throw new Error(`says nothing: ${JSON.stringify(message)}`)
    if (message.length > MESSAGE_CHARACTERS_MAX) throw new Error(`${message.length} characters for one mistake`)
    if (/secret@/.test(describeFailure(error))) throw new Error(`tells a password: ${message}`)
    return undefined
  }
}

/** What everything behind the configuration builds on. */
function checked(config: AgentConfig): AgentConfig {
  const problems = Object.entries(config).filter(
    ([, value]) => value === undefined || (typeof value === 'number' && (!Number.isSafeInteger(value) || value < 0)),
  )
  if (problems.length > 0) throw new Error(`a config with ${JSON.stringify(problems)}`)
  const { memoryBytes, flushBytes, requestBytesMax, messageBytesMax, listeners } = config
  const fits = Math.max(flushBytes, requestBytesMax) * 8 <= memoryBytes && messageBytesMax <= requestBytesMax
  if (!fits || memoryBytes < MEMORY_BYTES_MIN) throw new Error(`sizes that do not fit: ${JSON.stringify(config)}`)
  const unfit = listeners.filter(({ listen, advertise }) => listen.port > 65_535 || advertise?.port === 0)
  if (unfit.length > 0 || new Set(listeners.map(({ name }) => name)).size !== listeners.length || !listeners[0]) {
    throw new Error(`listeners ${JSON.stringify(listeners)}`)
  }
  return config
}

t.test('settings in code', async () => {
  fuzz(fc.dictionary(fc.oneof({ weight: 9, arbitrary: key }, unknownName), value, { maxKeys: 4 }), 600, (options) => {
    configOf(() => resolveConfig(options as AgentOptions, surroundings))
  })
})

t.test('flags and environment', async () => {
  const variable = fc.oneof(
    { weight: 9, arbitrary: key.map(envName) },
    unknownName.map((name) => `HEADRACE_${name}`),
  )
  const input = fc.tuple(fc.dictionary(key, value, { maxKeys: 3 }), fc.dictionary(variable, text, { maxKeys: 3 }))
  fuzz(input, 600, ([flags, env]) => {
    configOf(() => resolveConfig(loadOptions({ flags, env }, surroundings), surroundings))
  })
})

t.test('files', async (t) => {
  const file = join(t.testdir(), 'headrace.yaml')
  const line = fc.tuple(fc.oneof({ weight: 4, arbitrary: key.map(kebabName) }, unknownName), fc.oneof(text, fc.json()))
  const yaml = fc.oneof(
    fc.array(line, { maxLength: 4 }).map((lines) => lines.map(([name, written]) => `${name}: ${written}`).join('\n')),
    fc.dictionary(fc.oneof(key.map(kebabName), unknownName), value).map((content) => JSON.stringify(content)),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(
      'zone: *nobody',
      '? [a, b]\n: 1',
      'a: !!binary x',
      '--- 1\n--- 2',
      '&a [*a]',
      '"a\\nb": 1',
      '<<: 1',
    ),
    fc.constant(aliasBomb()),
  )
  fuzz(yaml, 250, (content) => {
    writeFileSync(file, content)
    configOf(() => resolveConfig(loadOptions({ flags: {}, env: {}, file }, surroundings), surroundings))
  })
})

t.test('names of files', async () => {
  fuzz(
    text.filter((name) => !name.includes('secret')),
    200,
    (name) => {
      const file = join('/nowhere', name)
      configOf(() => resolveConfig(loadOptions({ flags: {}, env: {}, file }, surroundings), surroundings))
    },
  )
})

t.test('URLs of stores', async () => {
  const scheme = fc.constantFrom('file:', 'file://', 'file:///', 's3://', 's3:', 'memory:', 'memory://', '')
  fuzz(fc.tuple(scheme, text), 600, ([front, rest]) => {
    configOf(() => {
      parseObjectStoreUrl(`${front}${rest}`)
      return resolveConfig({}, surroundings)
    })
  })
})

t.test('host and port', async () => {
  fuzz(
    fc.oneof(
      text,
      fc.tuple(text, fc.integer()).map(([host, port]) => `${host}:${port}`),
    ),
    600,
    (written) => {
      const parsed = parseHostPort(written)
      if (parsed === undefined) return
      if (parsed.host === '' || !Number.isInteger(parsed.port) || parsed.port < 0 || parsed.port > 65_535) {
        throw new Error(`${JSON.stringify(written)} became ${JSON.stringify(parsed)}`)
      }
    },
  )
})

t.test('what fuzzing found before', async (t) => {
  const file = join(t.testdir(), 'headrace.yaml')
  for (const content of [aliasBomb(), 'zone: *nobody', '"a\\nb": 1']) {
    writeFileSync(file, content)
    t.equal(
      configOf(() => resolveConfig(loadOptions({ flags: {}, env: {}, file }, surroundings))),
      undefined,
    )
  }
  t.throws(() => parseObjectStoreUrl('file:./%zz'), { code: 'CONFIG_INVALID' })
  t.throws(() => resolveConfig({ '\n': 1 } as AgentOptions), { code: 'CONFIG_INVALID', message: /^[^\n]*$/ })
  const env = { HEADRACE_FUZZ_SEED: '1' }
  t.strictSame(loadOptions({ flags: {}, env }, surroundings), {}, 'our own variables are no settings')
})

/** A page of text that would unfold to a billion values. */
function aliasBomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const items = new Array(10).fill(level === 0 ? '1' : `*l${level - 1}`)
    return `l${level}: &l${level} [${items.join(', ')}]`
  })
  return levels.join('\n')
}
