import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'completion', register: () => undefined }
export default command
