async (steps) => {
  // Steps on, each step drawn before the next.
  for (let step = 0; step < steps; step += 1) {
    document.querySelector(".card").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    await new Promise((resume) => { requestAnimationFrame(() => setTimeout(resume, 30)); });
  }
}
