// Returns a line for each accessibility problem: names, headings, ids, contrast.
const problems = [];
const visible = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
const all = (selector) => [...document.querySelectorAll(selector)].filter(visible);

function named(element) {
  const by = element.getAttribute("aria-labelledby");
  const labels = [...(element.labels ?? [])].map((label) => label.textContent);
  const text = /^(A|BUTTON|SUMMARY)$/.test(element.tagName) ? element.textContent : "";
  return [element.getAttribute("aria-label"), by && document.getElementById(by)?.textContent, text, ...labels]
    .some((name) => name?.trim());
}
for (const element of all("a, button, input, select, textarea, summary, [tabindex='0'], section, nav")) {
  if (!named(element)) problems.push(`no name: ${element.outerHTML.slice(0, 80)}`);
}

let level = 0;
for (const heading of all("h1, h2, h3, h4, h5, h6")) {
  const own = Number(heading.tagName[1]);
  if (own > level + 1) problems.push(`a heading level is skipped before: ${heading.textContent}`);
  level = own;
}
if (all("h1").length !== 1) problems.push("not one h1");
if (all("main").length !== 1) problems.push("not one main");
if (!document.documentElement.lang) problems.push("no language");
if (!document.title) problems.push("no title");

const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
for (const id of ids.filter((each, index) => ids.indexOf(each) !== index)) problems.push(`id twice: ${id}`);

const channels = (colour) => {
  const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
  return { rgb: [red, green, blue], alpha };
};
const luminance = (rgb) => {
  const [red, green, blue] = rgb.map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (light + 0.05) / (dark + 0.05);
};
function background(element) {
  for (let node = element; node; node = node.parentElement) {
    const { rgb, alpha } = channels(getComputedStyle(node).backgroundColor);
    if (alpha === 1) return rgb;
  }
  return [255, 255, 255];
}
let measured = 0;
for (const element of all("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!own || element.tagName === "NOSCRIPT") continue;
  const style = getComputedStyle(element);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  const ratio = contrast(channels(style.color).rgb, background(element));
  measured += 1;
  if (ratio < (large ? 3 : 4.5)) problems.push(`contrast ${ratio.toFixed(2)}: ${element.textContent.slice(0, 40)}`);
}
for (const element of all("select, textarea, button, input:not([type=radio], [type=checkbox])")) {
  const ratio = contrast(channels(getComputedStyle(element).borderTopColor).rgb, background(element.parentElement));
  if (ratio < 3) problems.push(`edge ${ratio.toFixed(2)}: ${element.outerHTML.slice(0, 60)}`);
}
if (measured < 20) problems.push(`only ${measured} texts were measured`);
return problems;
