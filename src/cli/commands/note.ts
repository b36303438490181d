import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'note', register: () => undefined }
export default command
