// Turns the wheel over the table as fast as a person can, and counts the frames that came late.

const SECONDS = 10;
/** A flick of a wheel that turns freely: 43 rows. */
const DELTA = 1200;
/** Two frames of a screen with 60 a second. */
const LATE_MS = 34;

export async function scrolled(page) {
  const box = await page.locator(".grid").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(() => {
    const frames = (window.frameTimes = []);
    let before = performance.now();
    const frame = (now) => {
      frames.push(now - before);
      before = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  const end = Date.now() + SECONDS * 1000;
  while (Date.now() < end) await page.mouse.wheel(0, DELTA);
  const { frames, rows } = await page.evaluate(() => {
    const grid = document.querySelector(".grid");
    return { frames: window.frameTimes.slice(1), rows: Math.floor(grid.scrollTop / grid.querySelector(".line").offsetHeight) };
  });
  const sorted = frames.toSorted((a, b) => a - b);
  return { frames: frames.length, late: frames.filter((ms) => ms > LATE_MS).length, longest: sorted.at(-1), p95: sorted[Math.floor(sorted.length * 0.95)], rows };
}
