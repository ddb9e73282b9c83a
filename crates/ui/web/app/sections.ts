// The parts of the application, as the bar above names them.

import { links } from "../lib/router/links";
import type { Route } from "../lib/router/route";
import type { IconName } from "../lib/ui/icons";

export const SECTIONS: readonly { label: string; link: string; icon: IconName }[] = [
  { label: "Experiments", link: links.experiments, icon: "table" },
  { label: "Models", link: links.models, icon: "box" },
  { label: "Prompts", link: links.prompts, icon: "text" },
];

/** Which part a page belongs to. */
export function sectionOf(route: Route): string | undefined {
  switch (route.page) {
    case "registry":
    case "registered":
    case "version":
    case "compare-versions":
      return "Models";
    case "prompts":
    case "prompt":
      return "Prompts";
    case "unknown":
      return undefined;
    default:
      return "Experiments";
  }
}
