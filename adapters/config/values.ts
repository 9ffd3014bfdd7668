import { z } from 'zod'
import { AGENT_ROLES, type AgentRole } from '../../engine/cluster/roles.js'
import { ZoneMap } from '../../engine/cluster/zone-map.js'
import { formatHostPort, type HostPort, parseHostPort } from './host-port.js'
import { type NamedAddress, parseAddresses } from './listeners.js'
import { formatBytes, formatDuration, parseBytes, parseCount, parseDurationMs } from './units.js'

/**
 * The kinds of values settings have. Each is a zod schema that takes what people write (text from flags, environment and
 * files; numbers and booleans from code) and yields the exact value. Its one issue says what is accepted, so that
 * the message can be put behind the name under which the reader wrote the setting.
 */

interface Range {
  readonly min: number
  readonly max: number
}

const textOrNumber = (accepted: string) => z.union([z.string(), z.number()], { error: `expected ${accepted}` })

export function duration(range: Range) {
  const accepted = `a duration from ${formatDuration(range.min)} to ${formatDuration(range.max)}, such as 250ms, 1s or 10m`
  return quantity(accepted, parseDurationMs, range)
}

export function bytes(range: Range) {
  const accepted = `a size from ${formatBytes(range.min)} to ${formatBytes(range.max)}, such as 8MiB, 512MB or 1048576`
  return quantity(accepted, parseBytes, range)
}

/** A duration, or `unlimited`: null. */
export function durationOrUnlimited(range: Range) {
  return unlimitedOr(duration(range), `a duration up to ${formatDuration(range.max)}, such as 12h or 7d, or unlimited`)
}

/** A size, or `unlimited`: null. */
export function bytesOrUnlimited(range: Range) {
  return unlimitedOr(bytes(range), 'a size, such as 512MiB or 10GiB, or unlimited')
}

export function count(range: Range) {
  return quantity(`a whole number from ${range.min} to ${range.max}`, parseCount, range)
}

export function flag() {
  const accepted = 'true or false'
  return z.union([z.boolean(), z.string()], { error: `expected ${accepted}` }).transform((value, context): boolean => {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    return refuse(context, accepted)
  })
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `expected one of ${values.join(', ')}` })
}

/** Addresses to listen on, or to be reached at (`port.min` 1), each with the name of its listener or without. */
export function addresses(port: { readonly min: number } = { min: 0 }) {
  const example = '127.0.0.1:9092 or internal://10.0.0.1:9092,external://0.0.0.0:19092'
  const accepted = `HOST:PORT, or a comma-separated list of [NAME://]HOST:PORT without repeats, IPv6 hosts in brackets, ports from ${port.min} to 65535, such as ${example}`
  return z.string({ error: `expected ${accepted}` }).transform((value, context): readonly NamedAddress[] => {
    return parseAddresses(value, port.min) ?? refuse(context, accepted)
  })
}

/** An address to listen on, or `off`. */
export function addressOrOff() {
  const accepted = 'HOST:PORT, such as 127.0.0.1:9080, or off'
  return z.string({ error: `expected ${accepted}` }).transform((value, context): HostPort | null => {
    if (value === 'off') return null
    return parseHostPort(value) ?? refuse(context, accepted)
  })
}

/** A URL of one of these schemes. What follows the scheme is for the adapter of that scheme to judge. */
export function url(schemes: readonly string[], examples: string) {
  const accepted = `a URL such as ${examples}`
  return z
    .string({ error: `expected ${accepted}` })
    .refine((value) => schemes.some((scheme) => value.startsWith(`${scheme}:`)), {
      error: `expected ${accepted}`,
    })
}

/** A short name without separators: it travels in client ids and in the catalog. */
export function name() {
  const accepted = 'up to 64 letters, digits, dots, dashes or underscores'
  return z.string({ error: `expected ${accepted}` }).regex(/^[\w.-]{1,64}$/, { error: `expected ${accepted}` })
}

/** One role or several, separated by commas. */
export function roles() {
  const accepted = `one or more of ${AGENT_ROLES.join(', ')}, separated by commas`
  return z.string({ error: `expected ${accepted}` }).transform((value, context): readonly AgentRole[] => {
    const names = value.split(',').map((name) => name.trim())
    if (names.some((name) => !(AGENT_ROLES as readonly string[]).includes(name))) return refuse(context, accepted)
    return AGENT_ROLES.filter((role) => names.includes(role))
  })
}

/** Zones by CIDR. */
export function zoneMap() {
  return z.string({ error: 'expected CIDR=zone pairs, such as 10.0.1.0/24=a' }).transform((value, context): ZoneMap => {
    try {
      return ZoneMap.parse(value)
    } catch {
      return refuse(context, 'CIDR=zone pairs separated by commas, such as 10.0.1.0/24=a,10.0.2.0/24=b')
    }
  })
}

/** How a resolved value is written back, in defaults and messages. */
export const shown = { duration: formatDuration, bytes: formatBytes, address: formatHostPort }

function unlimitedOr(quantity: ReturnType<typeof duration>, accepted: string) {
  return textOrNumber(accepted).transform((value, context): number | null => {
    if (value === 'unlimited') return null
    const parsed = quantity.safeParse(value)
    return parsed.success ? parsed.data : refuse(context, accepted)
  })
}

function quantity(accepted: string, parse: (value: string | number) => number | undefined, range: Range) {
  return textOrNumber(accepted).transform((value, context): number => {
    const parsed = parse(value)
    return parsed !== undefined && parsed >= range.min && parsed <= range.max ? parsed : refuse(context, accepted)
  })
}

function refuse(context: z.RefinementCtx, accepted: string): never {
  context.addIssue({ code: 'custom', message: `expected ${accepted}` })
  return z.NEVER
}
