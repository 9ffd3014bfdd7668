/** A TCP address. IPv6 hosts are bare here (`::1`) and bracketed in text (`[::1]:9092`). */
export interface HostPort {
  readonly host: string
  readonly port: number
}

const HOST_PORT = /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([^\s:[\]/@]+)):(\d{1,5})$/i
const HOSTNAME = /^[a-z0-9_](?:[a-z0-9_.-]{0,252})$/i

/** `host:port`, `1.2.3.4:port` or `[v6]:port`; undefined for anything else, a port above 65535 included. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = HOST_PORT.exec(text.trim())
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const port = Number(match[3])
  if (port > 65535) return undefined
  return isIpv6(host) === (match[1] !== undefined) && (isIpv6(host) || HOSTNAME.test(host)) ? { host, port } : undefined
}

export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Addresses one can listen on but nobody can connect to from elsewhere. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function isIpv6(host: string): boolean {
  return host.includes(':')
}
