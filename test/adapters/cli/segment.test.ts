import { writeFileSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { segmentCommand } from '../../../adapters/cli/segment.js'
import { splitObjectUrl } from '../../../adapters/cli/segment-source.js'
import { MemoryObjectStore } from '../../../adapters/object-store/index.js'
import { type BlockEntry, encodeRecordBatch, encodeSegment } from '../../../format/index.js'
import { ascii, SEGMENT_ID, smallSegment, TIME_MS, TOPIC_A, TOPIC_B, withBitFlipped } from '../../format/samples.js'

class Collected extends Writable {
  text = ''

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

async function run(...args: string[]): Promise<string> {
  const output = new Collected()
  await segmentCommand({ output }).parseAsync(args, { from: 'user' })
  return output.text
}

/** What it printed and how it failed. */
async function runFailing(...args: string[]): Promise<{ text: string; message: string }> {
  const output = new Collected()
  const failure = await segmentCommand({ output })
    .parseAsync(args, { from: 'user' })
    .then(
      () => new Error('it did not fail'),
      (error: Error) => error,
    )
  return { text: output.text, message: failure.message }
}

function file(t: Test, bytes: Uint8Array): string {
  const path = `${t.testdir({})}/segment`
  writeFileSync(path, bytes)
  return path
}

const whole = smallSegment(1)

t.test('inspect shows what the segment is and every block', async (t) => {
  const text = await run('inspect', file(t, whole.bytes))
  t.match(text, `segment id  ${SEGMENT_ID}`)
  t.match(text, 'created     2023-11-14T22:13:20.000Z')
  t.match(text, '3 partitions, 4 blocks, 5 batches, 9 records')
  const rows = text.trimEnd().split('\n').slice(-4)
  for (const [number, block] of whole.index.blocks.entries()) t.match(rows[number], block.topicId)
  t.match(rows[2], / lz4 +97 +450 +1 +1 +104\.\.104 /)
  t.match(await run('inspect', file(t, smallSegment(0).bytes)), / 2 +- +2023-/, 'no offsets at level 0')
})

t.test('inspect --json has the batches too', async (t) => {
  const json = JSON.parse(await run('inspect', file(t, whole.bytes), '--json'))
  t.match(json, {
    objectBytes: whole.bytes.byteLength,
    header: { formatVersion: 1, segmentId: SEGMENT_ID, level: 1, createdAtMs: TIME_MS },
    footer: { blockCount: 4, partitionCount: 3, batchCount: 5, recordCount: 9 },
  })
  const blocks = whole.index.blocks.map((block) => ({ ...block, codec: block.codec === 0 ? 'raw' : 'lz4' }))
  t.strictSame(json.blocks, blocks)
})

t.test('verify is quiet about a whole segment', async (t) => {
  const path = file(t, whole.bytes)
  t.equal(await run('verify', path), `${path} is whole: 4 blocks, 5 batches\n`)
  t.equal(await run('verify', path, '--json'), '')
  t.match(await run('verify', pathToFileURL(path).href), 'is whole')
})

t.test('verify says where each damage is', async (t) => {
  const [first, , third] = whole.index.blocks as [BlockEntry, BlockEntry, BlockEntry]
  const damaged = withBitFlipped(withBitFlipped(whole.bytes, first.position + 70, 2), third.position + 3, 1)
  const path = file(t, damaged)
  const { text, message } = await runFailing('verify', path)
  t.equal(message, `${path} is damaged in 2 places`)
  t.strictSame(text.trimEnd().split('\n'), [
    `byte ${first.position + 48}: BLOCK_CRC: the stored bytes are damaged, in the block of ${TOPIC_A}/0 at ${first.position}`,
    `byte ${third.position}: BLOCK_MAGIC: no block begins here, in the block of ${TOPIC_A}/3 at ${third.position}`,
  ])
  const json = await runFailing('verify', path, '--json')
  t.match(
    json.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [{ code: 'BLOCK_CRC', position: first.position + 48, block: { topicId: TOPIC_A } }, { code: 'BLOCK_MAGIC' }],
  )
})

t.test('verify of what has no index', async (t) => {
  const cut = file(t, whole.bytes.subarray(0, -1))
  const { text, message } = await runFailing('verify', cut)
  t.match(text, /FOOTER_MAGIC: .* cut off or continued/)
  t.equal(message, `${cut} is damaged in one place; its blocks could not be checked`)
  t.match((await runFailing('inspect', cut)).message, 'does not end with HRSEGEND')
  t.match((await runFailing('verify', file(t, new Uint8Array(0)))).text, 'SEGMENT_TOO_SHORT')
})

t.test('dump prints records as JSON lines', async (t) => {
  const lines = (await run('dump', file(t, whole.bytes))).trimEnd().split('\n')
  const records = lines.map((line) => JSON.parse(line))
  t.strictSame(
    records.map(({ offset }) => offset),
    [100, 101, 102, 103, 104, 105, 106, 107, 108],
  )
  t.strictSame(records[1], {
    topicId: TOPIC_A,
    partition: 0,
    offset: 101,
    timestampMs: TIME_MS + 1,
    key: null,
    value: 'two',
    headers: [],
  })
})

t.test('dump knows no offsets at level 0, and keeps bytes that are no text', async (t) => {
  const records = [
    {
      timestampMs: TIME_MS,
      key: ascii('ключ'),
      value: Uint8Array.of(0xff, 0),
      headers: [{ key: 'h', value: ascii('x') }],
    },
  ]
  const bytes = (['gzip', 'lz4', 'snappy'] as const).map((compression) => encodeRecordBatch({ records, compression }))
  const segment = encodeSegment(
    { segmentId: SEGMENT_ID, level: 0, createdAtMs: TIME_MS },
    bytes.map((batch) => ({ topicId: TOPIC_B, partition: 1, bytes: batch })),
  )
  const lines = (await run('dump', file(t, segment.bytes))).trimEnd().split('\n')
  t.equal(lines.length, 3)
  for (const line of lines) {
    t.strictSame(JSON.parse(line), {
      topicId: TOPIC_B,
      partition: 1,
      offset: null,
      timestampMs: TIME_MS,
      key: 'ключ',
      value: { base64: '/wA=' },
      headers: [{ key: 'h', value: 'x' }],
    })
  }
})

t.test('dump of a topic or partition', async (t) => {
  const path = file(t, whole.bytes)
  const values = async (...args: string[]) =>
    (await run('dump', path, ...args))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).offset)
  t.strictSame(await values('--topic-id', TOPIC_B.toUpperCase()), [105, 106, 107, 108])
  t.strictSame(await values('--partition', '3'), [104])
  t.strictSame(await values('--topic-id', TOPIC_B, '--partition', '3'), [])
})

t.test('dump stops at damage, after what came before it', async (t) => {
  const third = whole.index.blocks[2]!
  const { text, message } = await runFailing('dump', file(t, withBitFlipped(whole.bytes, third.position + 60, 0)))
  t.equal(text.trimEnd().split('\n').length, 4)
  t.equal(
    message,
    `the block of ${TOPIC_A}/3 at ${third.position}: the stored bytes are damaged; verify shows all damage`,
  )
})

t.test('objects in a store', async (t) => {
  const store = new MemoryObjectStore()
  await store.put('segment-1', whole.bytes)
  const opened: string[] = []
  const openStore = (url: string) => {
    opened.push(url)
    return store
  }
  const output = new Collected()
  const place = 's3://bucket/some/prefix/segment-1?region=eu-west-1'
  await segmentCommand({ output, openStore }).parseAsync(['verify', place], { from: 'user' })
  t.equal(output.text, `${place} is whole: 4 blocks, 5 batches\n`)
  t.strictSame(opened, ['s3://bucket/some/prefix?region=eu-west-1'])
})

t.test('URLs of objects', async (t) => {
  t.strictSame(splitObjectUrl('s3://b/key'), { storeUrl: 's3://b', key: 'key' })
  t.strictSame(splitObjectUrl('s3://b/p/k%20y?endpoint=http://localhost:9000/x'), {
    storeUrl: 's3://b/p?endpoint=http://localhost:9000/x',
    key: 'k y',
  })
  for (const place of ['s3://bucket', 's3://bucket/', 's3://bucket/prefix/']) {
    t.throws(() => splitObjectUrl(place), { code: 'CONFIG_INVALID', message: /names no object/ })
  }
})

t.test('places that are no segment', async (t) => {
  t.match((await runFailing('inspect', '/does/not/exist')).message, 'there is no file /does/not/exist')
  t.match((await runFailing('inspect', t.testdir({}))).message, 'is no file')
})

t.test(
  'a reader that leaves ends the command without an error, other failures of the output do not hide',
  async (t) => {
    const broken = (code: string) =>
      new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) })
    const dump = (output: Writable) =>
      segmentCommand({ output }).parseAsync(['dump', file(t, whole.bytes)], { from: 'user' })
    await t.resolves(dump(broken('EPIPE')))
    await t.rejects(dump(broken('ENOSPC')), { code: 'ENOSPC' })
  },
)
