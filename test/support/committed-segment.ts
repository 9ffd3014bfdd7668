import type { CommittedSegment } from '../../engine/intake/segments.js'
import type { TestLog, WrittenSegment } from './test-log.js'

/** A segment of a test's log as the commit lane hands it on, with what the read path looks at. */
export async function asCommitted(log: TestLog, written: WrittenSegment): Promise<CommittedSegment> {
  const { segmentId, objectKey, index, outcome } = written
  const output = { objectBytes: (await log.objectStore.head(objectKey)).bytes }
  const sealed = { segmentId, input: { objectKey } }
  return { stage: 'committed', uploaded: { sealed, output, index }, outcome } as CommittedSegment
}
