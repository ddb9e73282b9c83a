// Which folders were listed and are open.

import { SvelteMap, SvelteSet } from "svelte/reactivity";
import { artifactAddress, listArtifacts, type FileInfo, type Owner } from "../../lib/api/artifacts";
import { refusal } from "../../lib/api/call";

export class TreeState {
  readonly opened = new SvelteSet<string>();
  #listed = new SvelteMap<string, FileInfo[]>();

  constructor(readonly owner: Owner) {}

  children(folder: string): FileInfo[] | undefined {
    return this.#listed.get(folder);
  }

  find(path: string): FileInfo | undefined {
    const cut = path.lastIndexOf("/");
    return this.#listed.get(cut < 0 ? "" : path.slice(0, cut))?.find((file) => file.path === path);
  }

  async open(folder: string): Promise<void> {
    this.opened.add(folder);
    if (!this.#listed.has(folder)) this.#listed.set(folder, await listArtifacts(this.owner, folder));
  }

  async toggle(folder: string): Promise<void> {
    if (!this.opened.delete(folder)) await this.open(folder);
    else if (!this.#listed.has(folder)) await this.open(folder);
  }

  /** All files below a folder, as deep as they are. */
  async all(folder: string): Promise<FileInfo[]> {
    const list = await listArtifacts(this.owner, folder);
    const below = await Promise.all(list.filter((file) => file.is_dir).map((file) => this.all(file.path)));
    return [...list.filter((file) => !file.is_dir), ...below.flat()];
  }

  async bytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const response = await fetch(artifactAddress(this.owner, path));
    if (!response.ok) throw refusal(response.status, await response.text());
    return new Uint8Array(await response.arrayBuffer());
  }
}
