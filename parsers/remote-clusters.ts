import { z } from 'zod'
import { ParseError } from '../src/model/errors.ts'
import { defineParser } from '../src/model/parser.ts'
import { readTable } from './lib/table.ts'

const RemoteCluster = z.object({
  name: z.string(),
  /** Null for the cluster that istiod lives in. */
  secret: z.string().nullable(),
  /** synced, syncing, timeout, closed. */
  status: z.string(),
  istiod: z.string(),
  /** 1.31 and later. */
  revision: z.string().nullable(),
})
export type RemoteCluster = z.infer<typeof RemoteCluster>

/** `istioctl remote-clusters`: one row for each cluster and istiod. */
export default defineParser<RemoteCluster[]>({
  name: 'remote-clusters',
  schema: z.array(RemoteCluster),
  parse: (text) =>
    readTable(text, ['NAME', 'SECRET', 'STATUS', 'ISTIOD'], { optional: ['REVISION'] }).rows.map((row) => {
      if (row.NAME === '' || row.STATUS === '') throw new ParseError('a row without cluster or status')
      return {
        name: row.NAME,
        secret: row.SECRET || null,
        status: row.STATUS.toLowerCase(),
        istiod: row.ISTIOD,
        revision: row.REVISION || null,
      }
    }),
})
