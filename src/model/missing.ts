import { z } from 'zod'

/** Why a probe taught us nothing. Part of the note, so values are only ever added. */
export const MissingReason = z.enum([
  /** kubectl or istioctl is not installed. */
  'tool-missing',
  /** No kubeconfig, no such context: there is nobody to ask. */
  'no-cluster',
  /** There is an address, but nobody answers at it. */
  'unreachable',
  'forbidden',
  'unauthenticated',
  'not-found',
  /** The pod has no proxy of the kind that was asked. */
  'no-proxy',
  'no-container',
  'port-forward-denied',
  'exec-denied',
  'timed-out',
  'canceled',
  'too-big',
  /** Our own allow-list said no. */
  'refused',
  /** The session or archive holds no answer to this question. */
  'not-recorded',
  /** This version of the tool or of the cluster lacks the command, the flag or the kind. */
  'unsupported',
  /** There was an answer, and it is not what this command prints. */
  'unreadable',
  'no-istiod',
  /** The command succeeded and printed nothing where something was due. */
  'empty',
  'other',
])
export type MissingReason = z.infer<typeof MissingReason>
