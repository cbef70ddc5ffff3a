// Returns what cannot be read of some elements: outside of the window, cut off, covered, or smaller than 11 px.
(parts) => {
  const faults = [];
  const inside = (box, frame) => box.left >= frame.left - 1 && box.right <= frame.right + 1 && box.top >= frame.top - 1 && box.bottom <= frame.bottom + 1;
  const page = { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const framesOf = (one) => {
    const frames = [page];
    for (let at = one.parentElement; at; at = at.parentElement) {
      if (/auto|scroll|hidden/.test(getComputedStyle(at).overflow)) frames.push(at.getBoundingClientRect());
    }
    return frames;
  };
  const scaleOf = (one) => (one.ownerSVGElement ? one.getScreenCTM().a : 1);
  for (const one of parts) {
    const box = one.getBoundingClientRect();
    const words = one.textContent.trim().slice(0, 60);
    const leaf = [...one.querySelectorAll("text, b, span")].find((part) => part.textContent.trim() && !part.children.length) ?? one;
    const size = parseFloat(getComputedStyle(leaf).fontSize) * scaleOf(leaf);
    const covered = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    if (!box.width || !box.height || !one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) faults.push(`${words}: not drawn`);
    else if (!framesOf(one).every((frame) => inside(box, frame))) faults.push(`${words}: outside`);
    else if (size < 10.99) faults.push(`${words}: ${size} px`);
    else if (!one.ownerSVGElement && covered && !one.contains(covered) && !covered.contains(one)) faults.push(`${words}: covered`);
  }
  return faults;
}
