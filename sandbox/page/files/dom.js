// Helpers for the document. Text is inserted as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** A new element: `make("p", {class: "result"}, "text", otherElement)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set the text of an element only if it differs: a screen reader reads out each change. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** The same; what stands between backticks is code. */
export function setProse(element, text) {
  if (element.dataset.text === text) return;
  element.dataset.text = text;
  element.replaceChildren(...text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part)));
}

/** Set or, with null, remove an attribute. */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Make the children of `list` match `entries` in their order. A child is created once for its key
 * and then only updated, so that focus, selection and reading position do not change.
 */
export function sync(list, entries, keyOf, create, update) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let next = list.firstElementChild;
  for (const entry of entries) {
    const key = keyOf(entry);
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = create(entry);
      child.dataset.key = key;
    }
    if (child === next) next = next.nextElementSibling;
    else list.insertBefore(child, next);
    update(child, entry);
  }
  for (const child of old.values()) child.remove();
}
