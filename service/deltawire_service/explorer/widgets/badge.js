// Draws the result of a gradient check beside the number it checked.
import { html } from "../core/dom.js";

export const badgeText = (badge) => `${badge.passed ? "✓" : "✗"} ${badge.text}`;

export const badgeClass = (badge) => `badge ${badge.passed ? "passed" : "failed"}`;

/** @param {{ t: Translate, [other: string]: any }} props */
export function Badge({ badge, t }) {
  return badge ? html`<span class=${badgeClass(badge)} data-badge=${badge.what} title=${t("badgeTitle")}>${badgeText(badge)}</span>` : null;
}
