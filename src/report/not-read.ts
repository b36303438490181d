/** Something that was asked for and not got. It never reads as healthy. */
export interface NotRead {
  readonly what: string
  readonly reason: string
  readonly unlock: string | null
}
