// Draws the buttons that pause, resume and cancel a run.
import { Failure } from "../../core/requests.js";
import { html, useLayoutEffect, useRef, useState } from "../../core/dom.js";
import { Described } from "../../widgets/described.js";
import * as routes from "../routes.js";

// `now`: asks for the newest state at once.
export function RunActions({ run, name, now, t }) {
  const [asked, setAsked] = useState(false); // whether to cancel
  const [fault, setFault] = useState(null);
  const element = useRef();
  const before = useRef(asked);
  useLayoutEffect(() => { // the button that had the focus is gone
    if (asked !== before.current) element.current.querySelector(`[data-action=${asked ? "keep" : "cancel"}]`).focus();
    before.current = asked;
  }, [asked]);
  const act = async (action) => {
    const heading = element.current.closest("section").querySelector("h2");
    try {
      await routes.change(run.id, action);
      setFault(null);
      if (action === "cancel") heading.focus(); // the row goes to another list
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      setFault(error.problem);
    }
    now();
  };
  const other = run.state === "paused" ? "resume" : "pause";
  /** @type {any} */
  const button = (action, onClick = () => act(action), key = action) => html`<button key=${key} data-action=${action} aria-label=${`${t(action)}: ${name}`} onClick=${onClick}>${t(action)}</button>`;
  const leave = (event) => { if (event.key === "Escape") setAsked(false); };
  return html`<p class="actions" ref=${element} onKeyDown=${leave}>
      ${asked ? [button("cancelForGood", () => act("cancel")), button("keep", () => setAsked(false))]
        : [button(other, undefined, "other"), button("cancel", () => setAsked(true))]}</p>
    ${fault && html`<p class="warning" role="alert"><${Described} fault=${fault} t=${t} /></p>`}`;
}
