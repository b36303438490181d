export interface TarItem {
  readonly name: string
  readonly text?: string
  readonly type?: string
  readonly link?: string
}

/** A tar as GNU tar would write it. */
export function tarOf(items: readonly TarItem[]): Buffer {
  return Buffer.concat([...items.map(tarItem), Buffer.alloc(1024)])
}

export function tarItem({ name, text = '', type = '0', link = '' }: TarItem): Buffer {
  const content = Buffer.from(text)
  return Buffer.concat([
    tarHeader(name, content.length, type, link),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ])
}

export function tarHeader(name: string, size: number, type = '0', link = ''): Buffer {
  const header = Buffer.alloc(512)
  header.write(name.slice(0, 100), 0)
  header.write('0000644\0', 100)
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124)
  header.write('        ', 148)
  header.write(type, 156)
  header.write(link, 157)
  header.write('ustar\0', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return header
}
