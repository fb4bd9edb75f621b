/** Characters that take two columns: East Asian wide ones and emoji. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
/** Combining marks and joiners take none. */
const NARROW = /\p{Mn}|\p{Me}|\p{Cf}/u;
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

const columnsOf = (char: string): number => (NARROW.test(char) ? 0 : WIDE.test(char) ? 2 : 1);

export const widthOf = (text: string): number => [...text].reduce((sum, char) => sum + columnsOf(char), 0);

/** A program's line without what would move the cursor; after a carriage return only what it wrote last is there. */
export function plainLine(text: string): string {
  const last = text.replace(/\r+$/, '');
  return last
    .slice(last.lastIndexOf('\r') + 1)
    .replace(ESCAPES, '')
    .replaceAll('\t', '    ')
    .replace(CONTROLS, ' ');
}

/** At most `columns - 1` columns: a line that reached the edge could wrap. */
export function cut(text: string, columns: number): string {
  let width = 0;
  let shown = '';
  for (const char of text) {
    width += columnsOf(char);
    if (width > columns - 1) break;
    shown += char;
  }
  return shown;
}
