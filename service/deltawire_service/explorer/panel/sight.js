// What the panel shows when it shows something new: its top, or the section a stop of the tour names, outlined.

export function bringUp(aside, section, narrow) {
  aside.querySelectorAll(".named").forEach((one) => one.classList.remove("named"));
  const named = section && aside.querySelector(`[data-section="${section}"]`);
  named?.classList.add("named");
  if (narrow) return; // there the page itself scrolls, and the picture is above
  aside.scrollTop = 0;
  if (!named) return;
  const [frame, card, found] = [aside, aside.querySelector(".tour"), named].map((one) => one?.getBoundingClientRect());
  const top = (card ? card.bottom : frame.top) + 8;
  if (found.bottom > frame.bottom) aside.scrollTop = Math.max(0, found.top - top);
}
