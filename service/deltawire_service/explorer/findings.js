// What stands out in the numbers, and whether they are right.
import { Refused } from "./api.js";
import { checked, sign } from "./badges.js";
import { html, useState } from "./dom.js";

export function Findings({ seen, marks, badges, setBadges, t, select }) {
  const [checking, setChecking] = useState(false);
  const [refused, setRefused] = useState("");
  const all = [...marks].flatMap(([name, list]) => list.map((mark) => ({ name, ...mark })));
  const check = async () => {
    setChecking(true);
    setRefused("");
    try {
      setBadges({ of: seen.model, found: await checked(seen) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setRefused(error.message);
    } finally {
      setChecking(false);
    }
  };
  return html`<div class="findings">
    <div><h3>${t("findingsTitle")}</h3>
      ${all.length === 0 && html`<p class="quiet">${t("noFindings")}</p>`}
      <ul>${all.map((mark) => html`<li data-finding=${`${mark.what} ${mark.name}`}>
        <button class="link" onClick=${() => select(mark.name)}>${mark.name}</button> <b>${t(`mark_${mark.what}`)}</b> ${mark.text}</li>`)}</ul></div>
    <div><button class="main" data-check disabled=${checking} onClick=${check}>${t(checking ? "checking" : "check")}</button>
      <p class="quiet">${t("checkNote")}</p>
      ${refused && html`<p class="warning" role="alert">${refused}</p>`}
      ${badges.size > 0 && html`<table class="checked"><caption>${t("checked")}</caption>${[...badges.values()].map((badge) => html`
        <tr class=${badge.passed ? "passed" : "failed"}><td>${sign(badge)}</td><td>${told(badge.what)}</td></tr>`)}</table>`}</div>
  </div>`;
}

// edges/x→f/1 is what f sends to x, its input 1.
function told(what) {
  const [place, ...name] = what.split("/");
  if (place !== "edges") return `${{ params: "∂L/∂", data: "δ ", deltas: "δ " }[place]}${name.join("/")}`;
  const [from, to] = name[0].split("→");
  return `${to} → ${from}`;
}
