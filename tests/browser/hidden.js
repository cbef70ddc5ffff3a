// What covers another thing in the picture, or is out of it: labels on cards, labels outside, names below the sign of
// parameters; and how far the key and the buttons reach into the picture.
() => {
  const boxes = (selector) => [...document.querySelectorAll(selector)].map(one => one.getBoundingClientRect());
  const touch = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const [labels, cards, sight] = [boxes('.edge-label'), boxes('.card .body'), boxes('.viewport')[0]];
  const out = (box) => box.left < sight.left || box.right > sight.right
    || box.top < sight.top || box.bottom > sight.bottom;
  const names = [...document.querySelectorAll('.card')].filter(card => card.querySelector('.folded') &&
    touch(card.querySelector('.folded').getBoundingClientRect(), card.querySelector('.name').getBoundingClientRect()));
  return { onCards: labels.filter(one => cards.some(card => touch(one, card))).length, out: labels.filter(out).length,
    names: names.map(one => one.dataset.node), key: boxes('.legend')[0].bottom - sight.top, buttons: sight.bottom - boxes('.zoom')[0].top };
}
