// Smoothing of a line, as MLflow's charts do it: a moving average whose start is not pulled to zero.

/** `weight` from 0, no smoothing, to 99. NaN stays where it is and has no weight. */
export function smoothed(values: readonly number[], weight: number): number[] {
  if (weight <= 0 || values.length < 2 || values.every((value) => value === values[0])) return [...values];
  const s = Math.min(weight, 99) / 100;
  let average = 0;
  let rest = 1;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    average = average * s + (1 - s) * value;
    rest *= s;
    return average / (1 - rest);
  });
}
