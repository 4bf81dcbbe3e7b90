// Shows a JSON Schema: the fields of an object with type, rules and examples.

import { make } from "/_page/dom.js";

const RULES = {
  pattern: (value) => `matches ${value}`,
  minLength: (value) => `at least ${value} characters`,
  maxLength: (value) => `at most ${value} characters`,
  minItems: (value) => `at least ${value}`,
  maxItems: (value) => `at most ${value}`,
  minimum: (value) => `from ${value}`,
  maximum: (value) => `to ${value}`,
  exclusiveMinimum: (value) => `above ${value}`,
  const: (value) => `always ${JSON.stringify(value)}`,
  default: (value) => `${JSON.stringify(value)} if absent`,
  enum: (values) => `one of ${values.join(", ")}`,
  examples: (values) => `for example ${values.map((each) => JSON.stringify(each)).join(", ")}`,
};

/** A function that resolves local references within `api`, and returns other values unchanged. */
export function resolver(api) {
  return function resolve(value) {
    if (!value?.$ref) return value;
    const steps = value.$ref.replace(/^#\//, "").split("/");
    const found = steps.reduce((node, step) => node?.[step.replace(/~1/g, "/").replace(/~0/g, "~")], api);
    return { ...resolve(found ?? {}), ...value, $ref: undefined };
  };
}

/** Paragraphs of a description; text between backticks is code. */
export function prose(text) {
  return (text ?? "").trim().split(/\n\s*\n/).filter(Boolean).map((paragraph) => {
    const parts = paragraph.split(/`([^`]*)`/).map((part, index) => (index % 2 ? make("code", {}, part) : part));
    return make("p", {}, ...parts);
  });
}

/** The fields of an object type; of any other type, its rules only. */
export function fields(schema, resolve) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const type = `${typeOf(property, resolve)}${required.has(name) ? "" : ", optional"}`;
    return field(name, type, property, resolve);
  });
  if (rows.length) return make("dl", { class: "fields" }, ...rows);
  return make("p", { class: "rule" }, typeOf(schema, resolve), rules(schema));
}

function field(name, type, property, resolve) {
  const spec = resolve(property);
  const rule = rules(spec).replace(/^, /, "");
  const parts = prose(spec.description);
  if (rule) parts.push(make("p", { class: "rule" }, rule));
  return make("div", {}, make("dt", {}, name, make("span", {}, type)), make("dd", {}, ...parts));
}

function rules(schema) {
  const spec = { ...schema.items, ...schema };
  return Object.entries(RULES).filter(([name]) => name in spec)
    .map(([name, words]) => `, ${words(spec[name])}`).join("");
}

function typeOf(schema, resolve) {
  const name = schema.$ref?.split("/").pop();
  if (name) return name;
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map((each) => typeOf(each, resolve)).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {}, resolve)}`;
  return [schema.type ?? "any"].flat().join(" or ");
}
