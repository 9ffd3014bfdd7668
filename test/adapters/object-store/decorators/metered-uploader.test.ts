import t from 'tap'
import { MeteredUploader } from '../../../../adapters/object-store/decorators/metered-uploader.js'
import type { ObjectStoreObservation } from '../../../../adapters/object-store/index.js'
import { HeadraceError } from '../../../../engine/errors.js'
import type { SegmentInput, SegmentOutput } from '../../../../engine/ports/segment-uploader.js'
import { VirtualClock } from '../../../support/virtual-clock.js'

const input = {} as SegmentInput

t.test('an upload is observed by how it ended', async (t) => {
  const clock = new VirtualClock()
  const observations: ObjectStoreObservation[] = []
  const observed = async (upload: () => Promise<Partial<SegmentOutput>>) => {
    observations.length = 0
    const inner = { upload: upload as () => Promise<SegmentOutput>, close: async () => {} }
    const uploader = new MeteredUploader(inner, { observed: (one) => observations.push(one) }, clock)
    await uploader.upload(input).catch(() => {})
    return [...observations]
  }
  const failed = (error: Error) => async () => {
    await clock.advance(30)
    throw error
  }
  t.strictSame(await observed(async () => ({ objectBytes: 500, putRequestCount: 2, uploadMs: 7 })), [
    { operation: 'put', outcome: 'ok', durationMs: 7, bytes: 500, requestCount: 2 },
  ])
  t.strictSame(
    await observed(async () => ({ objectBytes: 0, putRequestCount: 0, uploadMs: 0 })),
    [],
    'nothing to upload',
  )
  t.strictSame(await observed(failed(new HeadraceError('OBJECT_STORE_DENIED', 'never', 'no'))), [
    { operation: 'put', outcome: 'OBJECT_STORE_DENIED', durationMs: 30, bytes: 0, requestCount: 1 },
  ])
  t.strictSame(await observed(failed(new HeadraceError('WORKER_FAILED', 'safe', 'gone'))), [], 'not of the store')
})

t.test('errors and results pass through', async (t) => {
  const error = new HeadraceError('OBJECT_STORE_TIMEOUT', 'unknown', 'late')
  let closeCount = 0
  const inner = {
    upload: () => Promise.reject(error),
    close: async () => {
      closeCount++
    },
  }
  const uploader = new MeteredUploader(inner, { observed() {} }, new VirtualClock())
  await t.rejects(uploader.upload(input), error)
  await uploader.close()
  t.equal(closeCount, 1)
})
