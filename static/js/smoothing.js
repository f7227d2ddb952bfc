// A moving average in which every earlier point counts `weight` (0 to below 1) times as much as the one after it.
// The sum is divided by the sum of its weights, so that a curve does not begin at zero. Gaps (null) stay gaps.
export function smoothed(values, weight) {
  let sum = 0;
  let weights = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + value;
    weights = weight * weights + 1;
    return sum / weights;
  });
}
