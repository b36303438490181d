export interface IpAddress {
  readonly version: 4 | 6
  readonly bits: bigint
}

export interface IpBlock extends IpAddress {
  readonly length: number
}

/** `null` for what is no address. Ports, brackets and zones are not part of one. */
export function parseIp(text: string): IpAddress | null {
  const four = parseIpv4(text)
  if (four !== null) return { version: 4, bits: four }
  const six = text.includes(':') ? parseIpv6(text) : null
  return six === null ? null : { version: 6, bits: six }
}

/** An address or a CIDR block. Host bits of a block are ignored, as Envoy does. */
export function parseIpBlock(text: string): IpBlock | null {
  const slash = text.indexOf('/')
  const address = parseIp(slash < 0 ? text : text.slice(0, slash))
  if (!address) return null
  const width = address.version === 4 ? 32 : 128
  if (slash < 0) return { ...address, length: width }
  const suffix = text.slice(slash + 1)
  if (!/^(0|[1-9]\d{0,2})$/.test(suffix) || Number(suffix) > width) return null
  return { ...address, length: Number(suffix) }
}

/** Never across versions: `::/0` holds no IPv4 address. */
export function isInBlock(address: IpAddress, block: IpBlock): boolean {
  if (address.version !== block.version) return false
  const shift = BigInt((block.version === 4 ? 32 : 128) - block.length)
  return address.bits >> shift === block.bits >> shift
}

function parseIpv4(text: string): bigint | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let bits = 0n
  for (const part of parts) {
    // Leading zeros are refused: they would be octal for some readers.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null
    bits = (bits << 8n) | BigInt(part)
  }
  return bits
}

function parseIpv6(text: string): bigint | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves.map(readGroups)
  if (!head || (halves.length === 2 && !tail)) return null
  const missing = 8 - head.length - (tail?.length ?? 0)
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null
  const groups = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])]
  return groups.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n)
}

function readGroups(text: string): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const four = part.includes('.') && index === parts.length - 1 ? parseIpv4(part) : null
    if (four !== null) groups.push(Number(four >> 16n), Number(four & 0xffffn))
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return null
  }
  return groups
}
