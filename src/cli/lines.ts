import { StringDecoder } from 'node:string_decoder';

/** A line that goes on for longer is passed on in pieces, so that a container cannot fill this program's memory. */
const LONGEST = 64 * 1024;

/** Makes lines of bytes, wherever these are cut. */
export class LineSplitter {
  private readonly decoder = new StringDecoder('utf8');
  private rest = '';

  /** The lines that are whole now, without their ends. */
  feed(chunk: Buffer): string[] {
    const parts = (this.rest + this.decoder.write(chunk)).split('\n');
    this.rest = parts.pop() ?? '';
    if (this.rest.length > LONGEST) {
      parts.push(this.rest);
      this.rest = '';
    }
    return parts;
  }
  /** What is left when there are no more bytes: a line without an end, if there is one. */
  end(): string[] {
    const last = this.rest + this.decoder.end();
    this.rest = '';
    return last === '' ? [] : [last];
  }
}
