() => {
  const ground = document.querySelector('.ground').getBoundingClientRect();
  const zoom = Number(/scale\(([\d.]+)\)/.exec(document.querySelector('.drawing > g').getAttribute('transform'))[1]);
  const texts = [...document.querySelectorAll('.drawing text[font-size]:not(.travel *)')].map((text) =>
    ({ words: text.textContent, size: zoom * Number(text.getAttribute('font-size')), box: text.getBoundingClientRect() }));
  const words = (list) => list.map((one) => one.words);
  const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  return {
    zoom,
    smallest: Math.min(...texts.map(({ size }) => size)),
    numbers: document.querySelectorAll('[data-value], [data-delta], [data-edge-gradient]').length,
    outside: words(texts.filter(({ box }) => box.left < ground.left - 1 || box.right > ground.right + 1 || box.top < ground.top - 1 || box.bottom > ground.bottom + 1)),
    cut: words(texts.filter((one) => one.words.endsWith('…'))),
    overlapping: texts.flatMap((one, i) => texts.slice(0, i).filter((other) => overlap(one.box, other.box)).map((other) => `${one.words} ${other.words}`)),
  };
}
