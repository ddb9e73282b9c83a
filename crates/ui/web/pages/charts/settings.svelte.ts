// What the link says about all charts of a page.

import type { XAxis } from "../../lib/charts/lines";
import { router } from "../../lib/router/router.svelte";

class Settings {
  readonly axis: XAxis = $derived.by(() => {
    const asked = router.query.get("x");
    return asked === "time" || asked === "relative" ? asked : "step";
  });
  readonly smoothing = $derived(Math.max(0, Math.min(99, Number(router.query.get("smooth")) || 0)));
  readonly logY = $derived(router.query.get("logy") === "1");
  readonly logX = $derived(router.query.get("logx") === "1");
  readonly search = $derived(router.query.get("charts") ?? "");

  /** A regular expression, or the text itself where it is none. */
  matches(title: string): boolean {
    if (!this.search) return true;
    try {
      return new RegExp(this.search, "i").test(title);
    } catch {
      return title.toLowerCase().includes(this.search.toLowerCase());
    }
  }
}

export const settings = new Settings();
