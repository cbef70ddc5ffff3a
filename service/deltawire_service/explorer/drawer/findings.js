// What stands out in the numbers, and whether they are right.
import { Refused } from "../core/api.js";
import { checked, sign } from "../core/badges.js";
import { html, useState } from "../core/dom.js";
import { findingsOf } from "../core/marks.js";
import { told } from "../widgets/refusal.js";

export function Findings({ seen, marks, badges, setBadges, t, select }) {
  const [checking, setChecking] = useState(false);
  const [refused, setRefused] = useState("");
  const all = findingsOf(marks, t);
  const check = async () => {
    setChecking(true);
    setRefused("");
    try {
      setBadges({ of: seen.model, found: await checked(seen) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      setRefused(told(error.problem, t));
    } finally {
      setChecking(false);
    }
  };
  return html`<div class="findings">
    <div><h3>${t("findingsTitle")}</h3>
      ${all.length === 0 && html`<p class="quiet">${t("noFindings")}</p>`}
      <ul>${all.map(({ what, names, text }) => html`<li data-finding=${`${what} ${names.join(" ")}`}><b>${t(`mark_${what}`)}</b> ${
        listed(names).map((name, i) => [i > 0 && ", ", name ? html`<button class="link" onClick=${() => select(name)}>${name}</button>` : "…"])}
        <br />${text}</li>`)}</ul></div>
    <div><button class="main" data-check disabled=${checking} onClick=${check}>${t(checking ? "checking" : "check")}</button>
      <p class="quiet">${t("checkNote")}</p>
      ${refused && html`<p class="warning" role="alert">${refused}</p>`}
      ${badges.size > 0 && html`<${Summary} ...${{ badges, t }} />`}</div>
  </div>`;
}

// Of many names the first and the last ones.
const listed = (names) => (names.length > 8 ? [...names.slice(0, 4), null, ...names.slice(-2)] : names);

// All of them in a sentence; each in a table, unfolded where one is wrong.
function Summary({ badges, t }) {
  const all = [...badges.values()];
  const wrong = all.filter((badge) => !badge.passed).length;
  const most = Math.max(...all.map((badge) => badge.difference));
  const bound = most ? `1e−${Math.floor(-Math.log10(most))}` : "0";
  return html`<p class=${wrong ? "failed" : "green"} role="status" data-agree=${wrong === 0}><b>${wrong ? t("disagree", wrong, all.length) : t("agree", all.length, bound)}</b></p>
    <details class="each" open=${wrong > 0}><summary>${t("each")}</summary><table class="checked"><caption>${t("checked")}</caption>${all.map((badge) => html`
        <tr class=${badge.passed ? "passed" : "failed"}><td>${sign(badge)}</td><td>${named(badge.what)}</td></tr>`)}</table></details>`;
}

// edges/x→f/1 is what f sends to x, its input 1.
function named(what) {
  const [place, ...name] = what.split("/");
  if (place !== "edges") return `${{ params: "∂L/∂", data: "δ ", deltas: "δ " }[place]}${name.join("/")}`;
  const [from, to] = name[0].split("→");
  return `${to} → ${from}`;
}
