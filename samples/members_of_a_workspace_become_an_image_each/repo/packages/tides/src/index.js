const BETWEEN = 12 * 60 + 25;

/** Times of high water on a day whose first one comes `first` minutes after midnight. */
export function highWater(first) {
  const times = [first, first + BETWEEN].filter((minutes) => minutes < 24 * 60);
  return times.map((minutes) => {
    const hours = String(Math.floor(minutes / 60)).padStart(2, "0");
    return `${hours}:${String(minutes % 60).padStart(2, "0")}`;
  });
}
