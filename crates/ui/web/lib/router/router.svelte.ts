// The current address, as state. Pages read `router.route` and `router.query`, and write with `go` and `setQuery`.

import { parse, type Address } from "./route";

class Router {
  #address: Address = $state.raw(parse(location.hash));

  constructor() {
    addEventListener("hashchange", () => (this.#address = parse(location.hash)));
  }

  get route() {
    return this.#address.route;
  }

  get query() {
    return this.#address.query;
  }

  /** Opens a link of `links`. */
  go(link: string, options: { replace?: boolean } = {}): void {
    if (options.replace) {
      history.replaceState(null, "", link);
      this.#address = parse(link);
    } else {
      location.hash = link;
    }
  }

  /** Changes parts of the query; `undefined` and empty texts take a part away. A change of view adds no step back. */
  setQuery(changes: Record<string, string | undefined>, options: { replace?: boolean } = { replace: true }): void {
    const query = new URLSearchParams(this.query);
    for (const [name, value] of Object.entries(changes)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const path = location.hash.replace(/^#/, "").split("?")[0] || "/";
    const text = query.toString();
    this.go(`#${path}${text ? `?${text}` : ""}`, options);
  }
}

export const router = new Router();
