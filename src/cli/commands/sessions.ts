import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'sessions', register: () => undefined }
export default command
