import t from 'tap'
import { startAgent } from '../../../../adapters/index.js'
import { runCli } from '../../../support/run-cli.js'

/** What only processes show: pipes, signals, exit codes. */

t.test('the built command line against an agent', async (t) => {
  const agent = await startAgent({
    objectStore: 'memory:',
    catalog: 'sqlite::memory:',
    listen: '127.0.0.1:0',
    http: 'off',
    logLevel: 'silent',
  })
  t.teardown(() => agent.close())
  const at = ['--bootstrap', `127.0.0.1:${agent.kafka.port}`]
  t.match(await runCli(['topics', 'create', 'news', ...at]), { code: 0, err: 'Created news with 1 partitions.\n' })

  const tail = runCli(['consume', 'news', '--group', 'readers', '--values-only', ...at], { stopAfterLines: 2 })
  const input = Buffer.concat([Buffer.from('first\n'), Buffer.from([0xff, 0x00, 0x0a])])
  const produced = await runCli(['produce', 'news', '--compression', 'lz4', ...at], { input })
  t.match(produced, { code: 0, out: '', err: /^Produced 2 records \(7 bytes\) to news in [\d.]+ s\.\n$/ })
  t.match(await tail, { code: 0, out: 'first\n\ufffd\0\n' }, 'waits for records, and stops in order when asked to')
  const groups = await runCli(['groups', 'describe', 'readers', '--json', ...at])
  t.match(JSON.parse(groups.out), { committed: 2, lag: 0, member: null }, 'it committed, and left')
  const json = await runCli(['consume', 'news', '--exit-at-end', '--from', '1', '--json', ...at])
  t.match(JSON.parse(json.out), { offset: 1, value: '/wA=', valueEncoding: 'base64' })

  // The first line is sent before there is a second one; a signal ends the wait for that.
  const written = runCli(['consume', 'news', '--from', '2', '--count', '1', '--values-only', ...at])
  const interrupted = await runCli(['produce', 'news', ...at], { firstInput: 'third\n', stop: written })
  t.match(interrupted, { code: 0, out: '', err: /^Produced 1 records/ })
  t.match(await written, { code: 0, out: 'third\n' })
})

t.test('failures are one line, exit code 1', async (t) => {
  const cases: [readonly string[], RegExp][] = [
    [
      ['topics', 'list', '--bootstrap', '127.0.0.1:1'],
      /^headrace: cannot reach a broker at 127\.0\.0\.1:1 \(ECONN.*\n$/,
    ],
    [['consume', 'x', '--from', 'yesterday'], /^headrace: .*ISO 8601.*\n$/],
    [['consume', 'x', '--group', 'g', '--partition', '1'], /^headrace: --group is given its partitions.*\n$/],
  ]
  for (const [args, message] of cases) t.match(await runCli(args, { input: '' }), { code: 1, out: '', err: message })
})
