/** Values with units, as people write them: `250ms`, `1s`, `8MiB`, `512MB`. Pure; `undefined` means "not such a value". */

const DURATION_UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const BYTE_UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

const QUANTITY = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i

/** Milliseconds. A bare number counts milliseconds only when it is a number: the text `5` could mean anything. */
export function parseDurationMs(value: string | number): number | undefined {
  if (typeof value === 'number') return whole(value)
  const [amount, unit] = quantity(value)
  const unitMs = DURATION_UNITS_MS[unit]
  if (unitMs === undefined) return amount === 0 && unit === '' ? 0 : undefined
  return whole(amount * unitMs)
}

/** Bytes; `KB` counts in thousands and `KiB` in 1024s, whatever the case; a plain number is bytes. */
export function parseBytes(value: string | number): number | undefined {
  if (typeof value === 'number') return whole(value)
  const [amount, unit] = quantity(value)
  const unitBytes = unit === '' ? 1 : BYTE_UNITS[unit]
  return unitBytes === undefined ? undefined : whole(amount * unitBytes)
}

export function parseCount(value: string | number): number | undefined {
  if (typeof value === 'number') return whole(value)
  return /^\d+$/.test(value.trim()) ? whole(Number(value)) : undefined
}

/** The largest unit that says it in whole numbers. */
export function formatDuration(durationMs: number): string {
  const unit =
    ['d', 'h', 'm', 's'].find((name) => durationMs >= unitMs(name) && durationMs % unitMs(name) === 0) ?? 'ms'
  return `${durationMs / unitMs(unit)}${unit}`
}

/** Binary units where they divide, else plain bytes. */
export function formatBytes(bytes: number): string {
  const unit = ['TiB', 'GiB', 'MiB', 'KiB'].find((name) => bytes >= unitBytes(name) && bytes % unitBytes(name) === 0)
  return unit === undefined ? String(bytes) : `${bytes / unitBytes(unit)}${unit}`
}

function quantity(text: string): [amount: number, unit: string] {
  const match = QUANTITY.exec(text.trim())
  return match === null ? [Number.NaN, '?'] : [Number(match[1]), (match[2] ?? '').toLowerCase()]
}

/** Fractions of a unit are fine (`1.5s`), fractions of the result are rounded away; negative and unsafe ones are none. */
function whole(value: number): number | undefined {
  const rounded = Math.round(value)
  return Number.isSafeInteger(rounded) && value >= 0 ? rounded : undefined
}

function unitMs(name: string): number {
  return DURATION_UNITS_MS[name] ?? 1
}

function unitBytes(name: string): number {
  return BYTE_UNITS[name.toLowerCase()] ?? 1
}
