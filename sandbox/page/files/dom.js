// The few things that all scripts do to the document. Text goes in as text, never as markup.

export const byId = (id) => document.getElementById(id);

/** A new element: `make("p", {class: "told"}, "text", otherElement)`. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set the text of an element, and touch it only where it differs: what is live is read out. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set or, with null, remove an attribute. */
export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/**
 * Make the children of `list` those of `entries`, in their order: each is made once for its key,
 * and then only updated, so that focus, selection and reading position stay where they are.
 */
export function sync(list, entries, keyOf, create, update) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const entry of entries) {
    const key = keyOf(entry);
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = create(entry);
      child.dataset.key = key;
    }
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
    update(child, entry);
  }
  for (const child of old.values()) child.remove();
}
