// Tags of the models that were loaded, for completion in the filter.

import { ownTags, type Tag } from "../../lib/api/experiments";
import type { Seen } from "../../lib/search/grammar";

/** A longer value is no value to choose from a list. */
const LONG = 120;

export function tagsOf(items: readonly { tags?: readonly Tag[] }[]): Seen {
  const out = new Map<string, Set<string>>();
  for (const item of items) {
    for (const { key, value } of ownTags(item.tags)) {
      let values = out.get(key);
      if (!values) out.set(key, (values = new Set()));
      if (value.length < LONG) values.add(value);
    }
  }
  return out;
}
