async () => {
  // Steps back 20 times, each step drawn before the next.
  for (let step = 0; step < 20; step += 1) {
    document.querySelector(".card").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    await new Promise((resume) => { requestAnimationFrame(() => setTimeout(resume, 30)); });
  }
}
