import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { startAgent } from '../../../../adapters/index.js'
import { runCommand } from '../../../support/run-command.js'

/** The commands for people without Kafka's tools, against a real agent; `process.test.ts` runs them as processes. */

t.test('commands against an agent', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'headrace-cli-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  const agent = await startAgent({
    objectStore: 'memory:',
    catalog: 'sqlite::memory:',
    listen: '127.0.0.1:0',
    http: 'off',
    logLevel: 'silent',
  })
  t.teardown(() => agent.close())
  const bootstrap = `127.0.0.1:${agent.kafka.port}`
  const cli = (args: string, options: { input?: string } = {}) =>
    runCommand([...args.split(' ').filter((word) => word !== ''), '--bootstrap', bootstrap], options.input)
  const json = async (args: string) => {
    const { out } = await cli(`${args} --json`)
    return out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }

  t.test('topics', async (t) => {
    t.match(await cli('topics list'), { code: 0, out: '', err: 'There are no topics.\n' })
    t.match(await cli('topics create orders --partitions 2 --config retention.ms=1000 cleanup.policy=delete'), {
      code: 0,
      err: 'Created orders with 2 partitions.\n',
    })
    t.match(await cli('topics create orders'), { code: 1, err: /^headrace: .*orders exists already\n$/ })
    t.match(await cli('topics create bad --config no.such=1'), { code: 1, err: /^headrace: unknown topic config.*\n$/ })
    t.match(await cli('topics create no/name'), { code: 1, err: /not legal/ })
    t.match(await cli('topics add-partitions orders 3'), { code: 0 })
    t.match(await cli('topics add-partitions orders 3'), { code: 1, err: /has 3 partitions already/ })
    t.match(await cli('topics list'), { out: 'TOPIC   PARTITIONS\norders  3\n' })
    t.strictSame(await json('topics list'), [{ topic: 'orders', partitions: 3 }])
    t.match(await json('topics describe orders'), [
      { partition: 0, earliest: 0, latest: 0, bytes: 0 },
      { partition: 1 },
      { partition: 2 },
    ])
    await cli('topics create passing')
    t.match(await cli('topics delete passing'), { code: 0, err: 'Deleted passing.\n' })
    t.match(await cli('topics delete passing'), { code: 1, err: /^headrace: .+\n$/ })
    t.match(await cli('topics describe passing'), { code: 1, err: /passing/ })
  })

  t.test('configs', async (t) => {
    const configs = async () => (await json('configs describe orders')).map(({ config, value }) => `${config}=${value}`)
    t.strictSame(await configs(), ['cleanup.policy=delete', 'retention.ms=1000'])
    t.match(await cli('configs set orders retention.ms=2000 retention.bytes=7'), { code: 0 })
    t.match(await cli('configs unset orders cleanup.policy'), { code: 0 })
    t.strictSame(await configs(), ['retention.bytes=7', 'retention.ms=2000'])
    t.match(await cli('configs set orders retention.ms=soon'), { code: 1, err: /^headrace: invalid value "soon".*\n$/ })
    t.match(await cli('configs set orders retention.ms'), { code: 1, err: /not of the form name=value/ })
    t.ok((await json('configs describe orders --all')).length > 25)
    t.match((await cli(`configs describe ${agent.nodeId} --agent`)).out, /num\.partitions/)
    await cli('configs unset orders retention.ms retention.bytes')
    t.match(await cli('configs describe orders'), { out: '', err: /Nothing is set/ })
  })

  t.test('produce and consume', async (t) => {
    const lines = Array.from({ length: 1000 }, (_, number) => `k${number}:value ${number}`)
    t.match(
      await cli('produce orders --key-separator : --partition 1 --compression gzip', { input: lines.join('\n') }),
      {
        code: 0,
        out: '',
        err: /^Produced 1000 records \(\d+ bytes\) to orders in [\d.]+ s\.\n$/,
      },
    )
    const values = (await cli('consume orders --exit-at-end --values-only')).out
    t.equal(values, lines.map((line) => `${line.slice(line.indexOf(':') + 1)}\n`).join(''), 'in the order of the lines')

    await cli('produce orders --partition 0 --header from=test', { input: 'no key\n' })
    await cli('produce orders --partition 0 --key-separator = --null-value NULL --quiet', { input: 'gone=NULL' })
    const [first, second] = await json('consume orders --partition 0 --exit-at-end')
    t.match(first, { topic: 'orders', partition: 0, offset: 0, key: null, value: 'no key' })
    t.match(first, { timestamp: Number, headers: [{ key: 'from', value: 'test' }] })
    t.match(second, { offset: 1, key: 'gone', value: null, headers: [] })
    const { out } = await cli('consume orders --partition 0 --count 1')
    t.match(out, /^0:0\t20\d\d-\d\d-\d\dT[\d:.]+Z\t-\tno key\tfrom=test\n$/)

    const file = join(directory, 'records.jsonl')
    const binary = { key: '/w==', keyEncoding: 'base64', value: 'ÿ', timestamp: 1_600_000_000_000, partition: 2 }
    await writeFile(file, `${JSON.stringify({ ...binary, headers: [{ key: 'h', value: 'v' }] })}\n`)
    t.match(await cli(`produce orders --json --file ${file}`), { code: 0 })
    t.match(await json('consume orders --partition 2 --exit-at-end'), [
      { ...binary, headers: [{ key: 'h', value: 'v' }] },
    ])
    const copied = (await cli('consume orders --partition 2 --exit-at-end --json')).out
    await cli('topics create copy')
    await cli('produce copy --json --partition 0', { input: copied })
    t.match(await json('consume copy --exit-at-end'), [{ key: '/w==', value: 'ÿ', timestamp: 1_600_000_000_000 }])

    t.match(await cli('produce orders --key-separator :', { input: 'none' }), { code: 1, err: /line 1 has no key sep/ })
    t.match(await cli('produce orders --json', { input: '{}\n{' }), { code: 1, err: 'headrace: line 2 is not JSON\n' })
    t.match(await cli(`produce orders --file ${directory}/absent`), { code: 1, err: /^headrace: ENOENT.*\n$/ })
    t.match(await cli('produce orders --partition 9', { input: 'x' }), { code: 1, err: /partitions 0 to 2, not 9/ })
  })

  t.test('consume from a place', async (t) => {
    const offsets = async (from: string) =>
      (await json(`consume orders --partition 1 --count 2 --exit-at-end --from ${from}`)).map(({ offset }) => offset)
    t.strictSame(await offsets('998'), [998, 999])
    t.strictSame(await offsets('earliest'), [0, 1])
    t.strictSame(await offsets('latest'), [])
    t.strictSame(await offsets('2020-01-01'), [0, 1])
    t.strictSame(await offsets('1577836800000'), [0, 1])
    t.strictSame(await offsets('2999-01-01T00:00:00Z'), [])
    t.match(await cli('consume orders --partition 9'), { code: 1, err: /partitions 0 to 2, not 9/ })
    t.match(await cli('consume absent'), { code: 1, err: /absent/ })
  })

  t.test('groups', async (t) => {
    t.match(await cli('groups list'), { code: 0, err: 'There are no groups.\n' })
    await cli('topics create work --partitions 2')
    await cli('produce work --partition 0', { input: 'a\nb\nc\n' })
    await cli('produce work --partition 1', { input: 'd\n' })
    const read = async (more = '') => (await cli(`consume work --group team --values-only ${more}`)).out
    t.equal(await read('--partition 0 --count 1'), '', 'a member takes what it is given')
    t.equal((await read('--exit-at-end')).split('\n').sort().join(''), 'abcd')
    t.equal(await read('--exit-at-end'), '', 'all was committed')
    await cli('produce work --partition 1', { input: 'e\nf\n' })
    const lags = async () => (await json('groups describe team')).map(({ committed, lag }) => [committed, lag])
    t.strictSame(await lags(), [
      [3, 0],
      [1, 2],
    ])
    t.equal(await read('--count 1'), 'e\n', 'what was printed is committed, and nothing more')
    t.strictSame(await lags(), [
      [3, 0],
      [2, 1],
    ])
    t.match((await cli('groups describe team')).out, /^TOPIC +PARTITION +COMMITTED +END +LAG/)
    t.match(await cli('groups list'), { out: /team +empty +consumer\n/ })
    t.match(await json('groups reset-offsets team --topic work --to 1 --dry-run'), [{ offset: 1 }, { offset: 1 }])
    t.match((await lags())[0], [3, 0])
    t.match(await cli('groups reset-offsets team --topic work --to earliest --partition 0'), { code: 0 })
    t.strictSame(await lags(), [
      [0, 3],
      [2, 1],
    ])
    t.match(await cli('groups delete team'), { code: 0, err: 'Deleted team.\n' })
    t.match(await cli('groups delete team'), { code: 1, err: /^headrace: .+\n$/ })
    t.match(await cli('groups describe team'), { code: 1, err: 'headrace: there is no group team\n' })
  })
})
