/** `name=value` or `name`; a label must have a name. */
export function checkLabel(value: string): string {
  if (value === '' || value.startsWith('=')) throw new Error(`invalid label '${value}': empty name`);
  return value;
}
