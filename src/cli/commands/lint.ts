import type { CliCommand } from '../program.ts'

const command: CliCommand = { name: 'lint', register: () => undefined }
export default command
