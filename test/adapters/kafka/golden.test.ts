import t from 'tap'
import type { ApiCodec } from '../../../adapters/kafka/apis/api.js'
import { apiCodecs } from '../../../adapters/kafka/apis/registry.js'
import { encodeFrame } from '../../../adapters/kafka/endpoints.js'
import { decodeRequestFront, decodeRequestHeaderRest } from '../../../adapters/kafka/wire/header.js'
import { WireReader } from '../../../adapters/kafka/wire/reader.js'
import { cut, join } from '../../support/kafka/bytes.js'
import { annotate, type GoldenFrame, readGolden } from '../../support/kafka/golden.js'
import { sampleRequests, sampleResponses } from '../../support/kafka/samples.js'

const LENGTH_BYTES = 4
const GOLDEN_CORRELATION_ID = 42

function decode(frame: GoldenFrame, chunks: readonly Uint8Array[]) {
  const codec = apiCodecs[frame.api] as ApiCodec<unknown, never>
  const reader = new WireReader(chunks)
  const front = decodeRequestFront(reader)
  reader.flexible = front.version >= codec.flexibleFrom
  const clientId = decodeRequestHeaderRest(reader)
  const request = codec.decodeRequest(reader, front.version)
  return { ...front, clientId, request, remaining: reader.remaining }
}

const FRANZ_GO_FILES = ['franz-go.hex', 'franz-go-groups.hex', 'franz-go-admin.hex', 'franz-go-security.hex']

for (const name of ['kcat.hex', 'kafkajs.hex', 'platformatic.hex', 'kafka-python.hex', ...FRANZ_GO_FILES]) {
  t.test(`${name}: annotations say what is there; requests decode however they are cut`, async (t) => {
    const { text, frames } = readGolden(name)
    t.ok(frames.length >= 7)
    t.equal(annotate(frames), text)
    for (const frame of frames.filter(({ kind }) => kind === 'request')) {
      const body = frame.bytes.subarray(LENGTH_BYTES)
      const whole = decode(frame, [body])
      t.equal(whole.remaining, 0)
      t.equal(whole.apiKey, apiCodecs[frame.api].key)
      t.equal(whole.version, frame.version)
      t.strictSame(decode(frame, cut(body, 1)), whole, 'byte by byte')
      for (let position = 1; position < body.byteLength; position++) {
        const pieces = decode(frame, cut(body, [position]))
        if (JSON.stringify(pieces) !== JSON.stringify(whole)) t.fail(`cut at ${position}`)
      }
    }
  })
}

t.test('franz-go: its requests mean what was written, our responses are its bytes, in every version', async (t) => {
  const frames = FRANZ_GO_FILES.flatMap((name) => readGolden(name).frames)
  const expected = new Set<string>()
  for (const [api, codec] of Object.entries(apiCodecs)) {
    for (let version = codec.validVersions.min; version <= codec.validVersions.max; version++) {
      expected.add(`${api} ${version} request`)
      expected.add(`${api} ${version} response`)
    }
  }
  for (const frame of frames) {
    const { api, version, kind, bytes } = frame
    expected.delete(`${api} ${version} ${kind}`)
    if (kind === 'request') {
      const { request, clientId, correlationId } = decode(frame, [bytes.subarray(LENGTH_BYTES)])
      t.strictSame([clientId, correlationId], ['golden', GOLDEN_CORRELATION_ID])
      t.matchOnly(request, sampleRequests[api].decoded(version), `${api} ${version}`)
    } else {
      const call = { version, correlationId: GOLDEN_CORRELATION_ID }
      const frameOut = encodeFrame(apiCodecs[api] as ApiCodec<never, object>, call, sampleResponses[api].sent)
      t.equal(Buffer.from(join(frameOut!)).toString('hex'), Buffer.from(bytes).toString('hex'), `${api} ${version}`)
    }
  }
  t.strictSame([...expected], [], 'no version is left out')
})

t.test('what the recorded clients said', async (t) => {
  const requests = (name: string, api: GoldenFrame['api']) =>
    readGolden(name)
      .frames.filter((frame) => frame.api === api)
      .map((frame) => decode(frame, [frame.bytes.subarray(LENGTH_BYTES)]))

  t.match(requests('kcat.hex', 'apiVersions')[0], {
    clientId: 'rdkafka',
    request: { clientSoftwareName: 'librdkafka', clientSoftwareVersion: '2.0.2' },
  })
  t.match(requests('kcat.hex', 'produce')[0], {
    version: 7,
    request: { acks: -1, topics: [{ name: 'events', partitions: [{ partition: 1, records: { magic: 2 } }] }] },
  })
  t.match(requests('kcat.hex', 'fetch')[0], {
    version: 11,
    request: { sessionId: 0, sessionEpoch: -1, topics: [{ name: 'events', partitions: [{ partition: 1 }] }] },
  })
  t.match(requests('kcat.hex', 'joinGroup')[0], {
    version: 5,
    request: { protocolType: 'consumer', protocols: [{ name: 'range' }, { name: 'roundrobin' }] },
  })
  t.match(requests('kafka-python.hex', 'offsetCommit')[0], {
    version: 2,
    request: { memberId: /^kafka-python/, topics: [{ partitions: [{ metadata: '', leaderEpoch: -1 }] }] },
  })
  t.match(requests('platformatic.hex', 'offsetFetch')[0], {
    version: 9,
    request: { groups: [{ topics: [{ name: /^topic/ }] }] },
  })
  t.match(requests('kafkajs.hex', 'createTopics')[0], {
    version: 3,
    request: { topics: [{ name: 'orders', partitionCount: 3, configs: [{ name: 'retention.ms', value: '1000' }] }] },
  })
  t.match(requests('platformatic.hex', 'fetch')[0], {
    version: 17,
    request: { topics: [{ name: '', partitions: [{ partition: 1, fetchOffset: 0, bytesMax: 1_000_000 }] }] },
  })
  t.match(requests('platformatic.hex', 'produce')[0], {
    version: 11,
    request: { transactionalId: null, topics: [{ name: 'orders', partitions: [{ partition: 1 }] }] },
  })
})
