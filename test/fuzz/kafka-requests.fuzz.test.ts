import fc from 'fast-check'
import t from 'tap'
import type { ApiCodec } from '../../adapters/kafka/apis/api.js'
import { apiCodecs } from '../../adapters/kafka/apis/registry.js'
import { endpointOf } from '../../adapters/kafka/endpoints.js'
import { decodeRequestFront, decodeRequestHeaderRest } from '../../adapters/kafka/wire/header.js'
import { WireReader } from '../../adapters/kafka/wire/reader.js'
import { WireError } from '../../adapters/kafka/wire/wire-error.js'
import { cut } from '../support/kafka/bytes.js'
import { type ApiName, clientCodecs } from '../support/kafka/client-codec.js'
import { apiNameOf, readGolden } from '../support/kafka/golden.js'
import { requestFrame } from '../support/kafka/raw-client.js'
import { sampleRequests } from '../support/kafka/samples.js'
import { fuzz, fuzzSeed, mutated, mutations, randomBytes } from './fuzzing.js'

t.comment(`HEADRACE_FUZZ_SEED=${fuzzSeed}`)

const LENGTH_BYTES = 4
const ELEMENTS_MAX = 1000
const GOLDEN_FILES = [
  'franz-go.hex',
  'franz-go-groups.hex',
  'franz-go-admin.hex',
  'franz-go-security.hex',
  'kafkajs.hex',
  'kcat.hex',
  'platformatic.hex',
  'kafka-python.hex',
]

interface Sample {
  readonly api: ApiName
  readonly version: number
  /** Without the length in front. */
  readonly frame: Uint8Array
}

const ownSamples: Sample[] = (Object.entries(apiCodecs) as [ApiName, ApiCodec<unknown, never>][]).flatMap(
  ([
    api,
    {
      validVersions: { min, max },
    },
  ]) =>
    Array.from({ length: max - min + 1 }, (_, count) => {
      const version = min + count
      const frame = requestFrame(api, version, 7, sampleRequests[api]).subarray(LENGTH_BYTES)
      return { api, version, frame }
    }),
)
const clientSamples: Sample[] = GOLDEN_FILES.flatMap((name) => readGolden(name).frames)
  .filter(({ kind }) => kind === 'request')
  .map(({ api, version, bytes }) => ({ api, version, frame: bytes.subarray(LENGTH_BYTES) }))

type Outcome =
  | { readonly request: unknown; readonly left: number; readonly code?: never }
  | { readonly code: string; readonly request?: never; readonly left?: never }

/** Reads a frame as a connection does. Whatever comes out that is no WireError is a bug. */
function decodeFrame(chunks: readonly Uint8Array[]): Outcome {
  try {
    const reader = new WireReader(chunks, { elementsMax: ELEMENTS_MAX })
    const { apiKey, version } = decodeRequestFront(reader)
    endpointOf(apiKey, version)
    const codec = apiCodecs[apiNameOf(apiKey)] as ApiCodec<unknown, never>
    reader.flexible = version >= codec.flexibleFrom
    decodeRequestHeaderRest(reader)
    return { request: codec.decodeRequest(reader, version), left: reader.remaining }
  } catch (error) {
    if (error instanceof WireError) return { code: error.code }
    throw error
  }
}

/** A decoded request must stay in proportion to its frame, whatever counts and lengths the frame declares. */
function checkProportion(outcome: Outcome, frameBytes: number): void {
  const text = JSON.stringify(outcome) ?? ''
  if (text.length > 200 * frameBytes + 1000) throw new Error(`${frameBytes} bytes became ${text.length} characters`)
}

function checkFrame(frame: Uint8Array): Outcome {
  const outcome = decodeFrame([frame])
  checkProportion(outcome, frame.byteLength)
  return outcome
}

t.test('random bytes behind every header', async () => {
  const headers = ownSamples.map(({ api, version }) => {
    const header = Buffer.alloc(10)
    header.writeInt16BE(clientCodecs[api].key, 0)
    header.writeInt16BE(version, 2)
    header.writeInt16BE(-1, 8)
    return header
  })
  fuzz(fc.tuple(fc.constantFrom(...headers), randomBytes(200)), 5000, ([header, body]) => {
    checkFrame(Buffer.concat([header, body]))
  })
})

t.test('random bytes as whole frames', async () => {
  fuzz(randomBytes(64), 2000, (frame) => void checkFrame(frame))
})

for (const [origin, samples] of [
  ['our own', ownSamples],
  ['real clients', clientSamples],
] as const) {
  t.test(`mutated requests of ${origin}`, async () => {
    fuzz(fc.tuple(fc.constantFrom(...samples), mutations), 8000, ([{ frame }, changes]) => {
      checkFrame(mutated(frame, changes))
    })
  })
}

t.test('every truncation of every request is told', async (t) => {
  for (const { api, version, frame } of [...ownSamples, ...clientSamples]) {
    const kept: number[] = []
    // A short frame is told by what is missing; none decodes to a request that was not sent.
    for (let bytes = 0; bytes < Math.min(frame.byteLength, 600); bytes++) {
      if (decodeFrame([frame.subarray(0, bytes)]).code === undefined) kept.push(bytes)
    }
    if (kept.length > 0) t.fail(`${api} v${version} decodes when cut to ${kept} of ${frame.byteLength} bytes`)
  }
  t.pass('all were refused')
})

t.test('what is declared is compared with what came before it is believed', async (t) => {
  const telling = [-(2 ** 31), -2, 2 ** 31 - 1, 2 ** 30, 0x7fff]
  for (const { frame } of ownSamples) {
    for (let position = 8; position + 4 <= frame.byteLength; position++) {
      for (const value of telling) {
        const changed = Buffer.from(frame)
        changed.writeInt32BE(value, position)
        checkFrame(changed)
      }
    }
  }
  t.pass('every place, every number')
})

t.test('how the socket cuts a frame changes nothing', async (t) => {
  const input = fc.tuple(fc.constantFrom(...ownSamples), mutations, fc.integer({ min: 1, max: 40 }))
  fuzz(input, 3000, ([{ frame }, changes, chunkBytes]) => {
    const changed = mutated(frame, changes)
    const whole = JSON.stringify(decodeFrame([changed]))
    const inPieces = JSON.stringify(decodeFrame(cut(changed, chunkBytes)))
    if (whole !== inPieces) throw new Error(`whole: ${whole}, in pieces: ${inPieces}`)
  })
  t.pass()
})

t.test('records are described within their frame', async (t) => {
  const produce = ownSamples.filter(({ api }) => api === 'produce')
  fuzz(fc.tuple(fc.constantFrom(...produce), mutations), 3000, ([{ frame }, changes]) => {
    const changed = mutated(frame, changes)
    const { request } = decodeFrame([changed])
    const { topics = [] } = (request ?? {}) as Partial<ReturnType<typeof apiCodecs.produce.decodeRequest>>
    for (const { records } of topics.flatMap(({ partitions }) => partitions ?? [])) {
      if (records == null) continue
      const { position, bytes } = records
      if (position < 0 || bytes < 0 || position + bytes > changed.byteLength) {
        throw new Error(`records of ${bytes} bytes at ${position} of ${changed.byteLength}`)
      }
    }
  })
  t.pass()
})
