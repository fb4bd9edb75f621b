import { type Logger, messageOf } from '../common/index.ts';
import { loadNftables, type Nft } from './nft.ts';
import { addText, deleteText, type Element, type TableOptions, tableText } from './rules.ts';

/** This daemon's nftables tables. A change is one transaction; if somebody flushed the tables, they are made anew from `all`. */
export class RuleSet {
  readonly #nft: Nft | undefined;
  readonly #options: TableOptions;
  readonly #all: () => Element[];
  readonly #log: Logger;

  /** `enabled` false makes every call do nothing (`--iptables=false`). `all` gives every element that should be there now. */
  constructor(enabled: boolean, options: TableOptions, all: () => Element[], log: Logger) {
    this.#nft = enabled ? loadNftables()() : undefined;
    this.#options = options;
    this.#all = all;
    this.#log = log;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Replaces the tables by what should be there. */
  restore(): void {
    this.#nft?.run(tableText(this.#options) + addText(this.name, this.#all()));
  }

  /** Where the companion relays; changes the rules if it is another port than before. */
  setRelayPort(port: number): void {
    if (this.#options.relayPort === port) return;
    this.#options.relayPort = port;
    this.restore();
  }

  add(elements: readonly Element[]): void {
    this.#change(addText(this.name, elements));
  }

  /** Never throws: what is not there need not go. */
  remove(elements: readonly Element[]): void {
    try {
      this.#change(deleteText(this.name, elements));
    } catch (error) {
      this.#log.warn('could not remove nftables elements', { error: messageOf(error) });
    }
  }

  #change(text: string): void {
    if (this.#nft === undefined || text === '') return;
    try {
      this.#nft.run(text);
    } catch (error) {
      if (!messageOf(error).includes('No such file or directory')) throw error;
      this.#log.warn('nftables table was gone; making it anew', { table: this.name });
      this.restore();
      this.#nft.run(text);
    }
  }

  /** Names of the machine's base chains in the forward hook that drop what they do not know. */
  droppingForwardChains(): string[] {
    if (this.#nft === undefined) return [];
    const answer = JSON.parse(this.#nft.query('list chains')) as {
      nftables: { chain?: { family: string; table: string; name: string; hook?: string; policy?: string } }[];
    };
    return answer.nftables.flatMap(({ chain }) =>
      chain?.hook === 'forward' && chain.policy === 'drop' ? [`${chain.family} ${chain.table} ${chain.name}`] : [],
    );
  }

  /** Takes the tables away. */
  drop(): void {
    this.#nft?.run(
      ['inet', 'bridge']
        .map((family) => `add table ${family} ${this.name}\ndelete table ${family} ${this.name}\n`)
        .join(''),
    );
  }

  close(): void {
    this.#nft?.close();
  }
}
