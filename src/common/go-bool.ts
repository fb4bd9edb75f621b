/** Go's strconv.ParseBool; undefined for what it refuses. */
export function parseGoBool(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(text)) return false;
  return undefined;
}

/** What Go says of the others. */
export const notGoBool = (text: string): string => `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`;
