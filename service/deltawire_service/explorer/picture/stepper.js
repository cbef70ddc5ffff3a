// Steps through both passes by buttons, by keys or by playing.
import { html, useEffect, useRef, useState } from "../core/dom.js";
import { isTyped } from "../core/events/typing.js";
import { short } from "../core/numbers.js";
import { arrivals, isBackward, nodeAt } from "../core/steps.js";

/** @import { Traced } from "../core/arrays.js" */
/** @import { Model } from "../core/model.js" */

// The number of a step, as it is on the card.
/** @param {Traced} traced */
const numberOf = (traced) => (!traced ? "" : traced.shape.length ? `‖${short(traced.norm)}‖` : short(traced.numbers));

const PAUSE = 1100, LONGEST = 45_000; // milliseconds of playing: a step, and all steps

/** @param {{ model: Model, step: number, go: (step: number) => void, t: Translate, [other: string]: any }} props */
export function Stepper({ model, step, go, t }) {
  const [playing, setPlaying] = useState(false);
  const ahead = model.forward.length;
  const here = useRef(step); // keys may come faster than the page draws
  here.current = step;
  const clamp = (to) => go(here.current = Math.max(0, Math.min(model.last, to)));
  useEffect(() => {
    const keys = (event) => {
      if (isTyped(event)) return;
      const anew = event.key === "ArrowRight" && here.current >= model.last; // but not where the key is held
      const to = { ArrowRight: anew ? (event.repeat ? model.last : 0) : here.current + 1, ArrowLeft: here.current - 1, Home: 0, End: model.last }[event.key];
      if (to !== undefined) { event.preventDefault(); setPlaying(false); clamp(to); }
      if (event.key === " " && !event.target.closest("button, [role=button], summary, a")) { event.preventDefault(); toggle(); }
    };
    addEventListener("keydown", keys);
    return () => removeEventListener("keydown", keys);
  });
  useEffect(() => {
    if (!playing) return undefined;
    if (step >= model.last) { setPlaying(false); return undefined; }
    const timer = setTimeout(() => clamp(step + 1), Math.min(PAUSE, LONGEST / model.last));
    return () => clearTimeout(timer);
  }, [playing, step, model]);
  const toggle = () => {
    if (!playing && step >= model.last) clamp(0);
    setPlaying(!playing);
  };
  const back = isBackward(model, step);
  const last = step >= model.last;
  const name = nodeAt(model, step);
  const text = step === 0 ? t("nothingYet") : `${back ? t("stepBackward", name) : t("stepForward", name)}: ${!back ? numberOf(model.places.get(name).value) : arrivals(model, name, step).missing ? "?" : numberOf(model.delta.get(name))}`;
  return html`<div class="stepper">
    <div class="modes" role="group">
      <button class=${!back ? "on forward" : ""} aria-pressed=${!back} onClick=${() => clamp(back ? 0 : step)}>${t("forward")}</button>
      <button class=${back ? "on back" : ""} aria-pressed=${back} onClick=${() => clamp(back ? step : ahead + 1)}>${t("backward")}</button>
    </div>
    <div class="keys" role="group">
      <button title=${`${t("first")} (Home)`} onClick=${() => clamp(0)}>⇤</button>
      <button title=${`${t("previous")} (←)`} data-go="previous" onClick=${() => clamp(here.current - 1)}>←</button>
      <button title=${`${t("play")} (${t("space")})`} class="play" onClick=${toggle}>${playing ? "❚❚" : "▶"}</button>
      <button title=${`${t(last ? "anew" : "next")} (→)`} data-go="next" onClick=${() => clamp(last ? 0 : here.current + 1)}>→</button>
      <button title=${`${t("last")} (End)`} onClick=${() => clamp(model.last)}>⇥</button>
    </div>
    <input type="range" min="0" max=${model.last} value=${step} aria-label=${t("step")} onInput=${(event) => clamp(Number(event.target.value))} />
    <span class="step-text" aria-live="polite"><b data-step=${step}>${step}/${model.last}</b> ${text}</span>
  </div>`;
}
