// Tells typing into a field from the keys and the clipboard of the page.

// Tells whether a key is typed into a field, or is one of the browser's own: then it is none of the page's.
/** @param {KeyboardEvent} event */
export const isTyped = (event) => isInField(event) || event.ctrlKey || event.metaKey || event.altKey;

/** @param {Event} event */
export const isInField = ({ target }) => target instanceof Element && Boolean(target.closest("input, textarea, select"));
