import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'logs', register: () => undefined }
export default command
