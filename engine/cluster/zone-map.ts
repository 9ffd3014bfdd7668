import ipaddr from 'ipaddr.js'
import { HeadraceError } from '../errors.js'

/**
 * Zones by address, for clients that do not name theirs: `10.0.1.0/24=zone-a,10.0.2.0/24=zone-b`. The longest prefix
 * that contains an address wins; IPv4-mapped IPv6 addresses, which dual-stack sockets show, count as IPv4.
 */
export class ZoneMap {
  readonly #ranges: readonly ZoneRange[]

  private constructor(ranges: readonly ZoneRange[]) {
    this.#ranges = ranges
  }

  /** @throws CONFIG_INVALID naming the entry that is wrong */
  static parse(text: string): ZoneMap {
    const entries = text.split(',').filter((entry) => entry.trim() !== '')
    const ranges = entries.map(parseRange)
    return new ZoneMap(ranges.sort((a, b) => b.prefixBits - a.prefixBits))
  }

  /** Null where no range contains the address, or it is none. */
  zoneOf(remoteAddress: string): string | null {
    if (this.#ranges.length === 0 || !ipaddr.isValid(remoteAddress)) return null
    const address = ipaddr.process(remoteAddress)
    for (const { network, prefixBits, zone } of this.#ranges) {
      if (network.kind() === address.kind() && address.match([network, prefixBits])) return zone
    }
    return null
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

interface ZoneRange {
  readonly network: Address
  readonly prefixBits: number
  readonly zone: string
}

function parseRange(entry: string): ZoneRange {
  const [cidr = '', zone = '', ...rest] = entry.split('=').map((part) => part.trim())
  if (!ipaddr.isValidCIDR(cidr) || !/^[\w.-]{1,64}$/.test(zone) || rest.length > 0) {
    throw new HeadraceError(
      'CONFIG_INVALID',
      'never',
      `${JSON.stringify(entry.trim())} is no CIDR=zone pair, such as 10.0.1.0/24=eu-west-1a`,
    )
  }
  const [network, prefixBits] = ipaddr.parseCIDR(cidr)
  return { network, prefixBits, zone }
}
