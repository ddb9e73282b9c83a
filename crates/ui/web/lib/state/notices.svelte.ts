// Short notices at the edge of the page: what was done, and how to undo it; what went wrong.

import { words } from "../api/call";

export interface Notice {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void } | undefined;
}

class Notices {
  list: Notice[] = $state([]);
  #next = 0;

  say(text: string, options: { bad?: boolean; action?: Notice["action"] } = {}): void {
    const notice = { id: this.#next++, text, bad: options.bad ?? false, action: options.action };
    this.list = [...this.list.slice(-3), notice];
    setTimeout(() => this.close(notice.id), notice.bad || notice.action ? 10_000 : 4_000);
  }

  fail(what: string, error: unknown): void {
    this.say(`${what}: ${words(error)}`, { bad: true });
  }

  close(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id);
  }
}

export const notices = new Notices();
