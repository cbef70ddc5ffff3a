// Counts the labels that lie on cards or outside the picture, lists the names below the sign of parameters, and measures
// how far the legend and the buttons reach into the picture.
() => {
  const boxes = (selector) => [...document.querySelectorAll(selector)].map(one => one.getBoundingClientRect());
  const touch = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const [labels, cards, viewport] = [boxes('.edge-label'), boxes('.card .body'), boxes('.viewport')[0]];
  const out = (box) => box.left < viewport.left || box.right > viewport.right
    || box.top < viewport.top || box.bottom > viewport.bottom;
  const names = [...document.querySelectorAll('.card')].filter(card => card.querySelector('.folded') &&
    touch(card.querySelector('.folded').getBoundingClientRect(), card.querySelector('.name').getBoundingClientRect()));
  return { onCards: labels.filter(one => cards.some(card => touch(one, card))).length, out: labels.filter(out).length,
    names: names.map(one => one.dataset.node), legend: boxes('.legend')[0].bottom - viewport.top, buttons: viewport.bottom - boxes('.zoom')[0].top };
}
