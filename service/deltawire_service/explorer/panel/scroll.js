// Scrolls the panel to its top, or to the section that a stop of the tour names, and outlines that section.

export function scrollTo(aside, section, narrow) {
  aside.querySelectorAll(".named").forEach((one) => one.classList.remove("named"));
  const named = section && aside.querySelector(`[data-section="${section}"]`);
  named?.classList.add("named");
  if (narrow) return; // there the page itself scrolls, and the picture is above
  aside.scrollTop = 0;
  if (!named) return;
  const [frame, card, box] = [aside, aside.querySelector(".tour"), named].map((one) => one?.getBoundingClientRect());
  const top = (card ? card.bottom : frame.top) + 18;
  if (box.bottom > frame.bottom) aside.scrollTop = Math.max(0, box.top - top);
}
