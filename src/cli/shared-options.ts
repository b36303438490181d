import { type Command, Option } from 'commander'
import { UserError } from '../model/errors.ts'

/** The flags of kubectl and istioctl, with their spelling. */
export interface ClusterFlags {
  readonly namespace?: string
  readonly context?: string
  readonly kubeconfig?: string
  readonly istioNamespace?: string
  readonly revision?: string
  readonly as?: string
  readonly asGroup?: string[]
}

export function addClusterOptions(command: Command): Command {
  return command
    .option('-n, --namespace <name>', 'namespace of targets that name none')
    .option('--context <name>', 'kubeconfig context to use')
    .option('-c, --kubeconfig <file>', 'kubeconfig file to use')
    .option('-i, --istio-namespace <name>', 'where istiod runs (default: istio-system)')
    .option('-r, --revision <name>', 'control plane revision')
    .option('--as <user>', 'user to impersonate')
    .option('--as-group <group...>', 'groups to impersonate')
}

export const noteFormats = ['json', 'yaml', 'markdown', 'html', 'slack', 'short', 'text'] as const
export type NoteFormat = (typeof noteFormats)[number]

export function outputOption(): Option {
  return new Option('-o, --output <format>', 'form of the result').choices([...noteFormats])
}

export function failOnOption(): Option {
  return new Option('--fail-on <certainty>', 'least certainty of a finding that makes the exit code 79').choices([
    'proven',
    'likely',
    'possible',
  ])
}

export function colorOption(): Option {
  return new Option('--color <when>', 'colour in the output').choices(['auto', 'always', 'never'])
}

/** `k=v` or `k: v`. */
export function readHeader(text: string): [string, string] {
  const match = /^([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*[=:]\s*(.*)$/.exec(text)
  // Not quoted: what stands there may be the value alone, and that is often a secret.
  if (!match) throw new UserError('--header: no name in front of the value', 'write --header name=value')
  return [match[1] ?? '', match[2] ?? '']
}
