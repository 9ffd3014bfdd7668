/** The spellings in which clients of this and kindred systems name their zone inside `client.id` (DESIGN 7). */
const ZONE_KEYS = new Set(['zone', 'ws_az', 'warpstream_az', 'automq_az', 'diskless_az'])

/** The zone a client names in its id, as in `orders-svc,zone=eu-west-1a`; null where it names none. */
export function zoneOfClientId(clientId: string | null): string | null {
  if (clientId === null) return null
  for (const token of clientId.split(/[,|]/)) {
    const equals = token.indexOf('=')
    if (equals < 0) continue
    const value = token.slice(equals + 1).trim()
    if (value !== '' && ZONE_KEYS.has(token.slice(0, equals).trim().toLowerCase())) return value
  }
  return null
}
