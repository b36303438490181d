// node bench/slow-tools.mjs FOLDER SESSION MS: makes a kubectl and an istioctl that answer from a recorded session, each after a fixed
// time. They are written in shell: starting a Node program for each answer would measure Node.

import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

const [folder, session, pause] = process.argv.slice(2)
const { commands } = JSON.parse(brotliDecompressSync(readFileSync(session)).toString('utf8'))
const answers = join(folder, 'answers')
mkdirSync(answers, { recursive: true })
for (const { file, args, result } of commands) {
  const key = createHash('md5')
    .update(`${[file, ...args.filter((arg) => !arg.startsWith('--log_target'))].join(' ')}\n`)
    .digest('hex')
  writeFileSync(join(answers, `${key}.out`), result.stdout)
  writeFileSync(join(answers, `${key}.err`), result.stderr)
  writeFileSync(join(answers, `${key}.code`), String(result.exit.code ?? 1))
}
for (const tool of ['kubectl', 'istioctl']) {
  const path = join(folder, tool)
  writeFileSync(
    path,
    `#!/bin/bash
started=$(date +%s%N)
words="${tool}"
for word in "$@"; do case "$word" in --log_target*) ;; *) words="$words $word" ;; esac; done
key=$(printf '%s\\n' "$words" | md5sum | cut -d' ' -f1)
sleep ${Number(pause) / 1000}
base='${answers}'/$key
if [ -f "$base.code" ]; then cat "$base.out"; cat "$base.err" >&2; code=$(cat "$base.code"); else echo "not recorded: $words" >&2; code=1; fi
[ -n "$BENCH_TRACE" ] && printf '{"start":%s,"end":%s,"words":"%s"}\\n' "$((started / 1000000))" "$(($(date +%s%N) / 1000000))" "\${words//\\"/}" >> "$BENCH_TRACE"
exit "$code"
`,
  )
  chmodSync(path, 0o755)
}
