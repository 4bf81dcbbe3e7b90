// Shows openapi.json: operations with parameters, bodies, responses and examples; types; problems.

import { byId, make } from "/_page/dom.js";
import { fields, prose, resolver } from "/_page/schema.js";

const METHODS = ["get", "put", "post", "delete", "patch"];

async function main() {
  const file = await fetch("/openapi.json");
  const api = await file.json();
  const resolve = resolver(api);
  byId("title").textContent = `${api.info.title} HTTP API`;
  byId("version").textContent = `Version ${api.info.version}, OpenAPI ${api.openapi}`;
  const parts = [
    overview(api),
    ...operations(api).map((each) => operation(each, resolve)),
    ...Object.entries(api.components.schemas).map(([name, schema]) => type(name, schema, resolve)),
    problems(api, resolve),
  ];
  byId("document").append(...parts);
  byId("contents").append(...parts.map(linkTo));
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function section(id, heading, ...children) {
  const title = make("h2", { id: `${id}-title` }, ...heading);
  return make("section", { id, "aria-labelledby": title.id }, title, ...children);
}

function linkTo(part) {
  const text = [...part.querySelector("h2").childNodes].map((node) => node.cloneNode(true));
  return make("li", {}, make("a", { href: `#${part.id}` }, ...text));
}

function overview(api) {
  const servers = api.servers.map((server) => {
    const code = make("dt", {}, server.url);
    return make("div", {}, code, make("dd", {}, server.description ?? ""));
  });
  const schemes = Object.entries(api.components.securitySchemes).map(([name, scheme]) => {
    return make("div", {}, make("dt", {}, name), make("dd", {}, ...prose(scheme.description ?? scheme.bearerFormat)));
  });
  return section("overview", ["Overview"], ...prose(api.info.description),
    make("h3", {}, "Servers"), make("dl", { class: "fields" }, ...servers),
    make("h3", {}, "Authorization"), make("dl", { class: "fields" }, ...schemes));
}

function operations(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => method in item).map((method) => ({ path, method, ...item[method] })));
}

function operation({ path, method, ...spec }, resolve) {
  const heading = [make("span", { class: "method" }, method.toUpperCase()), make("code", {}, path)];
  const callers = (spec.security ?? []).flatMap(Object.keys);
  const parts = [make("p", {}, make("strong", {}, spec.summary)), ...prose(spec.description)];
  if (callers.length) {
    const codes = callers.flatMap((name) => [" or ", make("code", {}, name)]).slice(1);
    parts.push(make("p", {}, "Authorization: ", ...codes));
  }
  if (spec.parameters) parts.push(make("h3", {}, "Parameters"), parameters(spec.parameters, resolve));
  if (spec.requestBody) parts.push(make("h3", {}, "Body"), ...content(resolve(spec.requestBody), resolve));
  parts.push(make("h3", {}, "Responses"));
  parts.push(...Object.entries(spec.responses).map(([code, each]) => response(code, each, resolve)));
  return section(spec.operationId, heading, ...parts);
}

function parameters(list, resolve) {
  const named = list.map(resolve);
  const properties = Object.fromEntries(named.map((each) => [each.name, each.schema]));
  const required = named.filter((each) => each.required).map((each) => each.name);
  return fields({ properties, required }, resolve);
}

function response(code, reference, resolve) {
  const spec = resolve(reference);
  const summary = make("summary", {}, make("strong", {}, code), spec.description ?? "");
  const headers = Object.keys(spec.headers ?? {}).join(", ");
  const parts = headers ? [make("p", {}, "Headers: ", make("code", {}, headers))] : [];
  return make("details", {}, summary, ...parts, ...content(spec, resolve));
}

function content(carrier, resolve) {
  return Object.entries(carrier.content ?? {}).flatMap(([media, spec]) => {
    const line = make("p", {}, make("code", {}, media), ...typeLink(spec.schema));
    const single = spec.example === undefined ? {} : { example: { value: spec.example } };
    const examples = Object.entries({ ...single, ...spec.examples });
    return [line, ...examples.map(([name, value]) => example(name, resolve(value)))];
  });
}

function typeLink(schema) {
  const name = schema?.$ref?.split("/").pop();
  return name ? [": ", make("a", { href: `#${name}` }, name)] : [];
}

function example(name, { summary, value }) {
  const caption = make("figcaption", {}, summary ?? name);
  const text = JSON.stringify(value, null, 2);
  return make("figure", {}, caption, make("pre", {}, text));
}

function type(name, schema, resolve) {
  return section(name, [make("code", {}, name)], ...prose(schema.description), fields(schema, resolve));
}

function problems(api, resolve) {
  const lines = Object.entries(api.components.examples)
    .map(([, each]) => resolve(each).value)
    .filter((value) => typeof value?.type === "string" && typeof value?.status === "number")
    .map((value) => [value.type, value]);
  const rows = Object.entries(Object.fromEntries(lines)).map(([type, value]) => make("div", {},
    make("dt", {}, type, make("span", {}, `HTTP ${value.status}`)),
    make("dd", {}, value.title)));
  return section("problems", ["Problem types"],
    make("p", {}, "Use the type in code; the texts are for people."),
    make("dl", { class: "fields" }, ...rows));
}

main().catch((error) => {
  byId("error").textContent = `openapi.json could not be shown: ${error.message}`;
});
