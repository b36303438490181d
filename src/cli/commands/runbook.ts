import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'runbook', register: () => undefined }
export default command
