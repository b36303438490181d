import { type FileHandle, mkdir, mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { UserError } from '../model/errors.ts'
import { readTar, type TarLimits } from './tar.ts'

/** The files of an archive, wherever they really are. Paths use `/`. */
export interface ArchiveFiles {
  readonly paths: readonly string[]
  readonly read: (path: string) => Promise<string>
  /** Something is missing at its end. */
  readonly isTruncated: boolean
  readonly close: () => Promise<void>
}

export interface UnpackOptions {
  /** Where content is laid down while the archive is open; the system's temporary folder if left out. */
  readonly tempFolder?: string
  readonly limits?: Partial<TarLimits & { readonly entryBytes: number }>
}

const gibibyte = 1024 ** 3
const defaultLimits = { entries: 200_000, bytes: 16 * gibibyte, entryBytes: gibibyte / 2 }
/** Never asked for, and large: core files, socket lists. */
const unwanted = /(^|\/)(cores\/|netstat$|[^/]*\.core$)/

/** Lays the wanted entries of a tar down under numbers: names in it lead nowhere. */
export async function unpack(
  path: string,
  { tempFolder = tmpdir(), limits = {} }: UnpackOptions,
): Promise<ArchiveFiles> {
  const { entryBytes, ...tarLimits } = { ...defaultLimits, ...limits }
  await mkdir(tempFolder, { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(tempFolder, 'archive-'))
  const files = new Map<string, string>()
  let writing: FileHandle | undefined
  const close = async () => {
    await writing?.close()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const report = await readTar(path, tarLimits, async (entry) => {
      if (unwanted.test(entry.path) || entry.size > entryBytes) return undefined
      const file = join(folder, String(files.size))
      const handle = await open(file, 'wx', 0o600)
      writing = handle
      files.set(entry.path.replace(/^(\.\/)+/, ''), file)
      const end = async () => {
        writing = undefined
        await handle.close()
      }
      return { write: async (chunk) => void (await handle.write(chunk)), end }
    })
    if (files.size === 0)
      throw new UserError(
        `${path} holds nothing that can be read`,
        report.isTruncated ? 'the file is cut off' : undefined,
        'input',
      )
    return {
      paths: [...files.keys()],
      read: (name) => readFile(files.get(name) ?? join(folder, 'missing'), 'utf8'),
      isTruncated: report.isTruncated,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const mostFiles = 100_000

/** A folder as it lies there. Links are not followed: they may lead anywhere. */
export async function openFolder(path: string): Promise<ArchiveFiles> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  if (entries.length > mostFiles)
    throw new UserError(`${path} holds more than ${mostFiles} files`, 'name the folder of the archive itself', 'input')
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
  const byName = new Map(paths.map((name) => [name.replace(/\.gz$/, ''), join(path, name)]))
  return {
    paths: [...byName.keys()],
    read: async (name) => {
      const file = byName.get(name) ?? join(path, name)
      if ((await stat(file)).size > defaultLimits.entryBytes)
        throw new UserError(`${file} is too large to be read at once`, undefined, 'input')
      return file.endsWith('.gz')
        ? gunzipSync(await readFile(file), { maxOutputLength: defaultLimits.entryBytes }).toString('utf8')
        : readFile(file, 'utf8')
    },
    isTruncated: false,
    close: async () => {},
  }
}
