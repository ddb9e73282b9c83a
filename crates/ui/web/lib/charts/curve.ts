// One line of a chart, with what belongs to it.

import type { Look } from "./colors";
import type { Line } from "./lines";

export interface Curve {
  /** The run, or the group; equal for what belongs together. */
  id: string;
  label: string;
  look: Look;
  line: Line;
  /** The line before smoothing, drawn faintly. */
  raw?: Line | undefined;
  /** Around a mean. */
  band?: { min: Line; max: Line } | undefined;
}
