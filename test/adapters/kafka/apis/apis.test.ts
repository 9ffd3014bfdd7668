import t from 'tap'
import type { ApiCodec } from '../../../../adapters/kafka/apis/api.js'
import { advertisedApis, apiCodecs } from '../../../../adapters/kafka/apis/registry.js'
import { WireReader } from '../../../../adapters/kafka/wire/reader.js'
import { WireError } from '../../../../adapters/kafka/wire/wire-error.js'
import { WireWriter } from '../../../../adapters/kafka/wire/writer.js'
import { cut, fakeBatch, join } from '../../../support/kafka/bytes.js'
import { type ApiName, clientCodecs } from '../../../support/kafka/client-codec.js'
import { sampleRequests, sampleResponses } from '../../../support/kafka/samples.js'

const LENGTH_PREFIX_BYTES = 4

const codecs = Object.entries(apiCodecs) as [ApiName, ApiCodec<unknown, never>][]

function encodeRequest(name: ApiName, version: number): Uint8Array {
  const writer = new WireWriter()
  writer.flexible = version >= clientCodecs[name].flexibleFrom
  clientCodecs[name].encodeRequest(writer, sampleRequests[name], version)
  return join(writer.finish()).subarray(LENGTH_PREFIX_BYTES)
}

for (const [name, codec] of codecs) {
  t.test(`${name} requests, every version, every cut and every truncation`, async (t) => {
    t.equal(codec.flexibleFrom, clientCodecs[name].flexibleFrom)
    for (let version = codec.validVersions.min; version <= codec.validVersions.max; version++) {
      const bytes = encodeRequest(name, version)
      const decode = (chunks: Uint8Array[]) => {
        const reader = new WireReader(chunks)
        reader.flexible = version >= codec.flexibleFrom
        const request = codec.decodeRequest(reader, version)
        if (reader.remaining !== 0) throw new Error(`${reader.remaining} bytes were left unread`)
        return request
      }
      const whole = decode([bytes])
      t.matchOnly(whole, sampleRequests[name].decoded(version), `version ${version}`)
      for (let position = 1; position < bytes.byteLength; position++) {
        t.strictSame(decode(cut(bytes, [position])), whole)
        t.throws(() => decode([bytes.subarray(0, position)]), WireError)
      }
      if (bytes.byteLength > 0) t.strictSame(decode(cut(bytes, 1)), whole)
    }
  })

  t.test(`${name} responses, every version`, async (t) => {
    for (let version = codec.validVersions.min; version <= codec.validVersions.max; version++) {
      const writer = new WireWriter()
      writer.flexible = version >= codec.flexibleFrom
      codec.encodeResponse(writer, sampleResponses[name].sent as never, version)
      const reader = new WireReader(writer.finish())
      reader.flexible = version >= codec.flexibleFrom
      t.equal(reader.i32(), reader.remaining)
      t.match(clientCodecs[name].decodeResponse(reader, version), sampleResponses[name].received(version))
      t.equal(reader.remaining, 0)
    }
  })
}

t.test('what is advertised', async (t) => {
  t.strictSame(
    advertisedApis.map(({ key, min, max }) => [key, min, max]),
    [
      [0, 0, 11],
      [1, 4, 17],
      [2, 1, 10],
      [3, 0, 13],
      [8, 2, 9],
      [9, 1, 9],
      [10, 0, 5],
      [11, 0, 9],
      [12, 0, 4],
      [13, 0, 5],
      [14, 0, 5],
      [15, 0, 6],
      [16, 0, 5],
      [18, 0, 4],
      [19, 2, 7],
      [20, 1, 6],
      [21, 0, 2],
      [22, 0, 5],
      [23, 2, 4],
      [29, 1, 3],
      [30, 1, 3],
      [31, 1, 3],
      [32, 1, 4],
      [33, 0, 2],
      [35, 1, 4],
      [37, 0, 3],
      [42, 0, 2],
      [43, 0, 2],
      [44, 0, 1],
      [45, 0, 0],
      [46, 0, 0],
      [47, 0, 0],
      [48, 0, 1],
      [49, 0, 1],
      [50, 0, 0],
      [51, 0, 0],
      [60, 0, 1],
      [61, 0, 0],
      [65, 0, 0],
      [66, 0, 1],
      [75, 0, 0],
    ],
  )
})

t.test('a records field tells its place in the frame', async (t) => {
  const bytes = encodeRequest('produce', 9)
  const reader = new WireReader(cut(bytes, 7))
  reader.flexible = true
  const { records } = apiCodecs.produce.decodeRequest(reader, 9).topics[0]!.partitions[0]!
  t.strictSame(bytes.subarray(records!.position, records!.position + records!.bytes), fakeBatch({}))
})
