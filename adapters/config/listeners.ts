import { hostname } from 'node:os'
import { formatHostPort, type HostPort, isWildcardHost, parseHostPort } from './host-port.js'

/** A name and an address, as Kafka writes its listeners: `internal://10.0.0.1:9092`, or the address alone. */
export interface NamedAddress extends HostPort {
  readonly name: string | null
}

/** A place where clients come in, and what they are told to connect to when they did. */
export interface ListenerConfig {
  readonly name: string
  readonly listen: HostPort
  /** Null: what `advertisedAddress` makes of the bound address. */
  readonly advertise: HostPort | null
}

/** The name of a listener that was given none. */
export const DEFAULT_LISTENER = 'default'

const NAMED = /^([a-z0-9_.-]{1,32}):\/\/(.*)$/i

/**
 * A comma-separated list; names compare without case, as Kafka's do. Undefined when an entry is no address, or a name or an
 * address comes twice.
 */
export function parseAddresses(text: string, portMin: number): readonly NamedAddress[] | undefined {
  const addresses: NamedAddress[] = []
  for (const entry of text.split(',')) {
    const [, name, rest = entry] = NAMED.exec(entry.trim()) ?? []
    const address = parseHostPort(rest)
    if (address === undefined || address.port < portMin) return undefined
    addresses.push({ name: name?.toLowerCase() ?? null, ...address })
  }
  const names = addresses.flatMap(({ name }) => name ?? [])
  const places = addresses.filter(({ port }) => port > 0).map(formatHostPort)
  return new Set(names).size < names.length || new Set(places).size < places.length ? undefined : addresses
}

/**
 * Listeners with their advertised addresses. Those without a name are called by their place, and an advertised address
 * without one belongs to the listener in its place.
 */
export function joinListeners(
  listen: readonly NamedAddress[],
  advertise: readonly NamedAddress[],
): readonly ListenerConfig[] {
  const names = listen.map(nameOf)
  const advertised = new Map(
    advertise.map(({ name, host, port }, place) => [name ?? names[place], { host, port }] as const),
  )
  return listen.map(({ host, port }, place) => {
    const name = names[place] ?? DEFAULT_LISTENER
    return { name, listen: { host, port }, advertise: advertised.get(name) ?? null }
  })
}

/** What is wrong with `advertise` beside these listeners, as what was expected of it. */
export function findAdvertiseConflict(
  listen: readonly NamedAddress[],
  advertise: readonly NamedAddress[],
): string | undefined {
  const names = listen.map(nameOf)
  const targets = advertise.map(({ name }, place) => name ?? names[place])
  const known = `the listeners are ${names.join(', ')}`
  for (const [place, target] of targets.entries()) {
    if (target === undefined) return `no more addresses than listen has (${names.length})`
    if (!names.includes(target)) return `names of listeners only, and there is no ${target}: ${known}`
    if (targets.indexOf(target) < place) return `one address per listener, and ${target} has two`
  }
  return undefined
}

/** `listen` with a name that two listeners would have: one was named as another is called by its place. */
export function findListenConflict(listen: readonly NamedAddress[]): string | undefined {
  const names = listen.map(nameOf)
  const twice = names.find((name, place) => names.indexOf(name) < place)
  return twice === undefined ? undefined : `a name of its own for each listener, and two are called ${twice}`
}

function nameOf({ name }: NamedAddress, place: number): string {
  return name ?? (place === 0 ? DEFAULT_LISTENER : `listener-${place + 1}`)
}

/** Where clients reach a listener bound to `bound`. Nobody can connect to a wildcard address: the host's name stands in. */
export function advertisedAddress(listener: Pick<ListenerConfig, 'advertise'>, bound: HostPort): HostPort {
  if (listener.advertise !== null) return listener.advertise
  return isWildcardHost(bound.host) ? { host: hostname(), port: bound.port } : bound
}
