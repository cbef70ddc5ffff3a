// Measures the time from a moved input to the picture of the new numbers, in milliseconds.
async () => {
  const input = document.querySelector('[data-input="z"]');
  const shown = () => document.querySelector('[data-value="f"] text').textContent;
  const before = shown();
  const start = performance.now();
  input.value = "-3";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  while (shown() === before) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}
