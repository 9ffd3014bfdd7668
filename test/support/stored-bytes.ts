import type { Extent } from '../../engine/ports/catalog.js'

/** What `partitionSizes` answers for a partition's extents: blocks that several extents share count once. */
export function storedBytesOf(extents: readonly Pick<Extent, 'segmentId' | 'position' | 'bytes'>[]): number {
  const segments = new Map<string, { bytes: number; start: number; end: number }>()
  for (const { segmentId, position, bytes } of extents) {
    const { bytes: sum, start, end } = segments.get(segmentId) ?? { bytes: 0, start: position, end: position }
    const span = { start: Math.min(start, position), end: Math.max(end, position + bytes) }
    segments.set(segmentId, { bytes: sum + bytes, ...span })
  }
  return [...segments.values()].reduce((total, { bytes, start, end }) => total + Math.min(bytes, end - start), 0)
}
