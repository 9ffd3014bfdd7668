import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withoutCredentials } from '../../../adapters/config/agent-config.js'
import {
  type ConfigSources,
  envName,
  kebabName,
  loadOptions,
  resolveConfig,
  settingKeys,
} from '../../../adapters/config/index.js'
import { ZoneMap } from '../../../engine/cluster/zone-map.js'
import { isHeadraceError } from '../../../engine/errors.js'

const surroundings = { directory: '/srv/place', coreCount: 4, stderrIsTerminal: false }

function messageOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (isHeadraceError(error, 'CONFIG_INVALID')) return error.message
    throw error
  }
  return 'accepted'
}

function load(sources: Partial<ConfigSources>) {
  return loadOptions({ flags: {}, env: {}, ...sources }, surroundings)
}

t.test('defaults', async (t) => {
  t.matchOnly(resolveConfig({}, surroundings), {
    listeners: [{ name: 'default', listen: { host: '127.0.0.1', port: 9092 }, advertise: null }],
    http: { host: '127.0.0.1', port: 9080 },
    zone: null,
    zoneMap: ZoneMap.parse(''),
    placement: 'consistent-hash',
    objectStore: 'file:///srv/place/headrace-data/objects',
    catalog: 'sqlite:///srv/place/headrace-data/catalog.db',
    flushIntervalMs: 10,
    flushBytes: 8 * 2 ** 20,
    workerCount: 3,
    memoryBytes: 2 ** 29,
    messageBytesMax: 1_048_588,
    requestBytesMax: 64 * 2 ** 20,
    commitAgeMaxMs: 600_000,
    autoCreateTopics: true,
    defaultPartitionCount: 1,
    groupInitialRebalanceDelayMs: 0,
    groupOffsetsRetentionMs: 604_800_000,
    roles: ['produce', 'fetch', 'jobs'],
    retentionTimeMs: 604_800_000,
    retentionBytes: null,
    retentionIntervalMs: 300_000,
    producerIdExpirationMs: 86_400_000,
    compactionIntervalMs: 10_000,
    compactionDelayMs: 120_000,
    compactionFanIn: 32,
    compactionBytes: 512 * 2 ** 20,
    deletionGraceMs: 300_000,
    heartbeatIntervalMs: 3_000,
    shutdownTimeoutMs: 30_000,
    logLevel: 'info',
    logFormat: 'json',
  })
})

t.test('defaults that follow other settings', async (t) => {
  const spaced = resolveConfig({}, { ...surroundings, directory: '/my data' })
  t.equal(spaced.objectStore, 'file:///my%20data/headrace-data/objects')
  t.equal(spaced.catalog, 'sqlite:///my data/headrace-data/catalog.db')
  t.equal(resolveConfig({ objectStore: 's3://bucket' }, surroundings).flushIntervalMs, 250)
  t.equal(resolveConfig({ objectStore: 'memory:' }, surroundings).flushIntervalMs, 10)
  t.equal(resolveConfig({ objectStore: 's3://bucket', flushInterval: 25 }, surroundings).flushIntervalMs, 25)
  t.equal(resolveConfig({}, { ...surroundings, coreCount: 1 }).workerCount, 1)
  t.equal(resolveConfig({}, { ...surroundings, stderrIsTerminal: true }).logFormat, 'pretty')
  const small = resolveConfig({ memory: '64MiB' }, surroundings)
  t.equal(small.requestBytesMax, 8 * 2 ** 20)
  t.equal(small.flushBytes, 8 * 2 ** 20)
  const large = resolveConfig({ memory: '2GiB' }, surroundings)
  t.equal(large.requestBytesMax, 100 * 2 ** 20)
})

t.test('flags over environment over file over defaults', async (t) => {
  const file = join(
    t.testdir({ 'config.yaml': 'flush-interval: 1s\nflush-bytes: 1MiB\nworkers: 2\nzone: a\n' }),
    'config.yaml',
  )
  const options = load({
    file,
    env: { HEADRACE_FLUSH_BYTES: '2MiB', HEADRACE_WORKERS: '3', HEADRACE_ZONE: '', PATH: '/bin' },
    flags: { workers: '4', config: file },
  })
  t.strictSame(options, { flushInterval: '1s', flushBytes: '2MiB', workers: '4', zone: 'a' })
  t.matchOnly(resolveConfig({ ...options, autoCreateTopics: 'false' }, surroundings), {
    ...resolveConfig({}, surroundings),
    flushIntervalMs: 1000,
    flushBytes: 2 ** 21,
    workerCount: 4,
    zone: 'a',
    autoCreateTopics: false,
  })
})

t.test('a config file is YAML or JSON, and may be named by the environment', async (t) => {
  const directory = t.testdir({
    'config.json': '{"http": "off", "auto-create-topics": false}',
    'empty.yaml': '# nothing\n',
  })
  const options = load({ env: { HEADRACE_CONFIG: join(directory, 'config.json') } })
  t.strictSame(options, { http: 'off', autoCreateTopics: false })
  t.equal(resolveConfig(options, surroundings).http, null)
  t.strictSame(load({ file: join(directory, 'empty.yaml') }), {})
})

t.test('every setting has the same name everywhere', async (t) => {
  const directory = t.testdir({})
  for (const key of settingKeys) {
    const file = join(directory, `${key}.yaml`)
    writeFileSync(file, `${kebabName(key)}: [wrong]\n`)
    const wrong = 'not / right'
    const byFlag = messageOf(() => load({ flags: { [key]: wrong } }))
    t.match(byFlag, new RegExp(`^--${kebabName(key)}: got "not / right", expected `))
    t.match(
      messageOf(() => load({ env: { [envName(key)]: wrong } })),
      new RegExp(`^${envName(key)}: got "not / right", `),
    )
    t.match(
      messageOf(() => load({ file })),
      `${kebabName(key)} in ${file}: got a list or a group, expected `,
    )
    t.match(
      messageOf(() => resolveConfig({ [key]: wrong }, surroundings)),
      new RegExp(`^${key}: got "not / right", `),
    )
    t.notMatch(byFlag, '\n')
  }
})

t.test('messages say what is accepted', async (t) => {
  t.equal(
    messageOf(() => load({ flags: { flushInterval: 'fast' } })),
    '--flush-interval: got "fast", expected a duration from 1ms to 1m, such as 250ms, 1s or 10m',
  )
  t.equal(
    messageOf(() => load({ env: { HEADRACE_LISTEN: '9092' } })),
    'HEADRACE_LISTEN: got "9092", expected HOST:PORT, or a comma-separated list of [NAME://]HOST:PORT without repeats, IPv6 hosts in brackets, ports from 0 to 65535, such as 127.0.0.1:9092 or internal://10.0.0.1:9092,external://0.0.0.0:19092',
  )
  t.match(
    messageOf(() => load({ flags: { advertise: 'host:0' } })),
    '--advertise: got "host:0"',
  )
  t.match(
    messageOf(() => load({ flags: { memory: '1MiB' } })),
    'a size from 64MiB to 1TiB',
  )
  t.match(
    messageOf(() => load({ flags: { objectStore: 'gs://bucket' } })),
    's3://bucket/prefix',
  )
})

t.test('unknown settings are refused by the name they were given', async (t) => {
  const directory = t.testdir({ 'config.yaml': 'flushInterval: 1s\n', 'strange.yaml': 'color: red\n' })
  const camel = join(directory, 'config.yaml')
  t.equal(
    messageOf(() => load({ file: camel })),
    `${camel}: unknown setting flushInterval; did you mean flush-interval?`,
  )
  t.match(
    messageOf(() => load({ file: join(directory, 'strange.yaml') })),
    'unknown setting color; "headrace agent --help"',
  )
  t.equal(
    messageOf(() => load({ env: { HEADRACE_FLUSH_INTERVALL: '1s' } })),
    'unknown setting HEADRACE_FLUSH_INTERVALL; did you mean HEADRACE_FLUSH_INTERVAL?',
  )
  const misspelt = { 'flush-bytes': '1MiB' } as object
  t.equal(
    messageOf(() => resolveConfig(misspelt, surroundings)),
    'unknown setting flush-bytes; did you mean flushBytes?',
  )
})

t.test('variables that orchestrators set beside a service called headrace are not ours', async (t) => {
  const env = {
    HEADRACE_PORT: 'tcp://10.0.0.1:9092',
    HEADRACE_PORT_9092_TCP_ADDR: '10.0.0.1',
    HEADRACE_SERVICE_HOST: '10.0.0.1',
    HEADRACE_AGENT_SERVICE_PORT_KAFKA: '9092',
    HEADRACE_TEST_MYSQL: 'mysql://…',
  }
  t.strictSame(load({ env }), {})
})

t.test('settings that do not fit together name the one to change', async (t) => {
  t.equal(
    messageOf(() => load({ flags: { memory: '64MiB' }, env: { HEADRACE_FLUSH_BYTES: '32MiB' } })),
    'HEADRACE_FLUSH_BYTES: got "32MiB", expected at most 1/8 of memory (64MiB): lower it or raise memory',
  )
  t.match(
    messageOf(() => resolveConfig({ requestBytesMax: '256MiB' }, surroundings)),
    'at most 1/8 of memory (512MiB)',
  )
  t.match(
    messageOf(() => resolveConfig({ messageBytesMax: '65MiB' }, surroundings)),
    'at most request-bytes-max (64MiB)',
  )
})

t.test('config files that cannot be read or understood', async (t) => {
  const directory = t.testdir({ 'broken.yaml': 'a: [1\nb: 2\n', 'list.yaml': '- 1\n' })
  t.equal(
    messageOf(() => load({ file: '/none/such.yaml' })),
    '--config: cannot read /none/such.yaml (ENOENT)',
  )
  t.match(
    messageOf(() => load({ file: join(directory, 'broken.yaml') })),
    /broken.yaml: not valid YAML: .*line \d+/,
  )
  t.match(
    messageOf(() => load({ file: join(directory, 'list.yaml') })),
    'expected settings as "name: value" lines',
  )
})

t.test('credentials stay out of messages', async (t) => {
  t.equal(withoutCredentials('mysql://user:p%40ss@db:3306/x'), 'mysql://user:***@db:3306/x')
  t.equal(withoutCredentials('s3://b?secretAccessKey=abc&region=eu'), 's3://b?secretAccessKey=***&region=eu')
  t.equal(withoutCredentials('nothing here: a@b'), 'nothing here: a@b')
  t.notMatch(
    messageOf(() => load({ flags: { objectStore: 'https://me:secret@host' } })),
    'secret',
  )
})
