// Swagger UI shows openapi.json; "Try it out" calls this sandbox, whose proxy signs for its caller.

const file = await fetch("/openapi.json");
const spec = await file.json();
spec.servers = [{ url: location.origin, description: "This sandbox, which signs for its caller" }];

const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

window.SwaggerUIBundle({ spec, dom_id: "#main", deepLinking: true, defaultModelsExpandDepth: 0, tryItOutEnabled: true });
