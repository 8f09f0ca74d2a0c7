// The console: ask one file one question, and see each value on the page it came from.
// No framework and no build. State that a reload must not lose is in sessionStorage and in the address (#id).
"use strict";

const $ = (id) => document.getElementById(id);
const memory = {
  get: (name) => sessionStorage.getItem(`heliograph.${name}`) ?? "",
  set: (name, value) => (value ? sessionStorage.setItem(`heliograph.${name}`, value) : sessionStorage.removeItem(`heliograph.${name}`)),
};

/** An element with properties, data and children; text is always text, never HTML. */
function make(tag, { data = {}, aria = {}, ...properties } = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  Object.assign(node.dataset, data);
  for (const [name, value] of Object.entries(aria)) node.setAttribute(name === "role" ? name : `aria-${name}`, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// --- the server ----------------------------------------------------------------------------------------------------

class Refused extends Error {
  constructor(message, status, id) {
    super(id ? `${message} (request ${id})` : message);
    this.status = status;
  }
}

async function call(method, path, body, signal) {
  const headers = { Authorization: `Bearer ${memory.get("key")}` };
  if (body && !(body instanceof FormData)) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(body);
  }
  let reply;
  try {
    reply = await fetch(`/v1${path}`, { method, headers, body, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer. Is it still running?", 0);
  }
  if (reply.ok) return reply;
  const answer = await reply.json().catch(() => ({}));
  const detail = Array.isArray(answer.detail) ? answer.detail.map((part) => `${part.loc?.join(".")}: ${part.msg}`).join("; ") : answer.detail;
  throw new Refused(answer.error?.message || detail || `The server answered ${reply.status}.`, reply.status, answer.error?.id);
}

const json = async (...request) => (await call(...request)).json();
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// --- what is said to the person ------------------------------------------------------------------------------------

function complain(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401) {
    memory.set("key", "");
    askForKey();
  }
  $("alert-text").textContent = error.message;
  $("alert").hidden = false;
  $("alert").scrollIntoView({ block: "nearest", behavior: "smooth" });
}

function tell(text) {
  $("progress").hidden = !text;
  $("progress-text").textContent = text;
}

const calm = () => ($("alert").hidden = true);
$("alert-close").addEventListener("click", calm);

// --- the key -------------------------------------------------------------------------------------------------------

function askForKey() {
  $("ask").hidden = $("key-change").hidden = true;
  $("key-form").hidden = false;
  $("key").focus();
}

$("key-change").addEventListener("click", askForKey);
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  calm();
  memory.set("key", $("key").value.trim());
  enter().catch(complain);
});

async function enter() {
  await call("GET", "/health");
  const domains = await json("GET", "/hub/domains");
  $("key-form").hidden = true;
  $("ask").hidden = $("key-change").hidden = false;
  fillDomains(domains);
  restoreQuestion();
  if (location.hash.length > 1) await open(location.hash.slice(1));
}

// --- the question --------------------------------------------------------------------------------------------------

let descriptions = {};

/** "audio", "video" or "document": the route for a domain, or for what the browser takes a file for. */
const medium = (name) => /^(audio|video)[./]/.exec(name ?? "")?.[1] ?? "document";

function fillDomains(domains) {
  descriptions = Object.fromEntries(domains.map((entry) => [entry.domain, entry.description ?? ""]));
  const groups = new Map();
  for (const { domain } of domains) {
    const family = domain.split(".")[0];
    if (!groups.has(family)) groups.set(family, make("optgroup", { label: family }));
    groups.get(family).append(make("option", { value: domain, textContent: domain }));
  }
  const rank = (family) => (family === "document" ? 0 : 1);
  const families = [...groups.keys()].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  $("domain").replaceChildren(...families.map((family) => groups.get(family)));
  describeDomain();
}

const describeDomain = () => ($("domain-text").textContent = descriptions[$("domain").value] ?? "");
$("domain").addEventListener("change", describeDomain);

const REMEMBERED = ["domain", "schema", "detail", "pages", "prompt"];
for (const name of REMEMBERED) $(name).addEventListener("change", () => memory.set(name, $(name).value));

function restoreQuestion() {
  for (const name of REMEMBERED) if (memory.get(name)) $(name).value = memory.get(name);
  const known = memory.get("domain") in descriptions;
  if (!known && "document.invoice" in descriptions) $("domain").value = "document.invoice";
  describeDomain();
  choose(memory.get("tab") === "schema" ? "schema" : "domain");
}

const TABS = ["domain", "schema"];

function choose(tab, focus = false) {
  memory.set("tab", tab);
  for (const name of TABS) {
    $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
    $(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
    $(`panel-${name}`).hidden = name !== tab;
  }
  if (focus) $(`tab-${tab}`).focus();
}

for (const name of TABS) {
  $(`tab-${name}`).addEventListener("click", () => choose(name));
  $(`tab-${name}`).addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") choose(TABS[1 - TABS.indexOf(name)], true);
  });
}

/** The schema typed in, or null with the reason shown beside it. */
function typedSchema() {
  try {
    const schema = JSON.parse($("schema").value);
    if (schema === null || typeof schema !== "object" || Array.isArray(schema)) throw new Error("a JSON Schema is an object");
    $("schema-error").textContent = "";
    return schema;
  } catch (error) {
    $("schema-error").textContent = $("schema").value.trim() ? `Not a schema: ${error.message}` : "Paste a JSON Schema, or let one be proposed.";
    return null;
  }
}

$("schema").addEventListener("input", () => $("schema-error").textContent && typedSchema());

let chosen = null;

function choosesFile(file) {
  if (!file) return;
  chosen = file;
  const size = file.size > 1e6 ? `${(file.size / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(file.size / 1e3))} kB`;
  $("drop-text").replaceChildren(make("strong", { textContent: file.name }), ` ${size}`);
  $("drop").classList.add("filled");
  suggestDomain(medium(file.type));
  calm();
}

/** A domain that a file of this medium can be read by, where the one chosen is none; a video may also be read for its sound. */
function suggestDomain(kind) {
  const now = medium($("domain").value);
  if (now === kind || (now === "audio" && kind === "video")) return;
  const better = kind === "document" ? "document.invoice" : `${kind}.transcription`;
  if (!(better in descriptions)) return;
  $("domain").value = better;
  memory.set("domain", better);
  describeDomain();
}

$("file").addEventListener("change", () => choosesFile($("file").files[0]));
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && !$("ask").hidden) choosesFile(event.dataTransfer.files[0]);
  });
}

async function upload(file, signal) {
  tell(`Sending ${file.name}`);
  const form = new FormData();
  form.append("file", file);
  return json("POST", "/files?purpose=assistants&generate_public_url=false", form, signal);
}

// --- asking --------------------------------------------------------------------------------------------------------

let asking = null; // {abort, id} while a request is under way

async function whileAsking(work) {
  if (!chosen) {
    complain(new Error("Choose a file first."));
    $("file").focus();
    return;
  }
  calm();
  asking = { abort: new AbortController(), id: null };
  $("go").disabled = $("propose").disabled = true;
  try {
    await work(asking);
  } catch (error) {
    complain(error);
  } finally {
    asking = null;
    $("go").disabled = $("propose").disabled = false;
    tell("");
  }
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const own = memory.get("tab") === "schema";
  const schema = own ? typedSchema() : null;
  if (own && !schema) return $("schema").focus();
  return whileAsking(async (run) => {
    const file = await upload(chosen, run.abort.signal);
    const pages = $("pages").value.split(",").filter((part) => part.trim()).map(Number);
    const config = { detail: $("detail").value };
    if (schema) config.json_schema = schema;
    if (schema || !$("domain").value.endsWith(".transcription")) config.grounding = config.confidence = true; // transcripts have times of their own
    if (pages.length) config.page_indices = pages;
    if ($("prompt").value.trim()) config.prompt = $("prompt").value.trim();
    const body = { file_id: file.id, domain: schema ? null : $("domain").value, batch: true, config };
    const prediction = await json("POST", `/${medium(schema ? chosen.type : body.domain)}/generate`, body, run.abort.signal);
    run.id = prediction.id;
    memory.set(`name.${prediction.id}`, chosen.name);
    memory.set(`pages.${prediction.id}`, pages.join(","));
    await follow(prediction, run.abort.signal);
  });
});

$("propose").addEventListener("click", () =>
  whileAsking(async (run) => {
    const file = await upload(chosen, run.abort.signal);
    tell("Reading the file for a schema");
    let prediction = await json("POST", `/${medium(chosen.type)}/schema`, { file_id: file.id }, run.abort.signal);
    prediction = await finished(prediction, run.abort.signal);
    $("schema").value = JSON.stringify(prediction.response.json_schema, null, 2);
    memory.set("schema", $("schema").value);
    typedSchema();
  }),
);

$("cancel").addEventListener("click", () => {
  asking?.abort.abort();
  if (asking?.id) call("DELETE", `/predictions/${asking.id}`).catch(complain);
});

/** Polls until the prediction is at its end, or throws why it failed. */
async function finished(prediction, signal) {
  const started = Date.now();
  for (let pause = 150; !["completed", "failed"].includes(prediction.status); pause = Math.min(pause * 1.4, 1500)) {
    const word = { pending: "Waiting for a worker", enqueued: "Waiting for a worker", running: "Reading", paused: "Held by the operator" }[prediction.status];
    const far = prediction.progress ? ` ${Math.floor(prediction.progress * 100)} %` : "";
    tell(`${prediction.step ?? word ?? prediction.status}${far}, ${((Date.now() - started) / 1000).toFixed(1)} s`);
    await sleep(pause);
    prediction = await json("GET", `/predictions/${encodeURIComponent(prediction.id)}`, undefined, signal);
  }
  if (prediction.status === "failed") throw new Error(prediction.error?.message || prediction.usage?.message || "The file could not be read.");
  return prediction;
}

async function follow(prediction, signal) {
  history.replaceState(null, "", `#${prediction.id}`);
  show(await finished(prediction, signal));
}

async function open(id) {
  tell("Fetching the answer");
  try {
    await follow(await json("GET", `/predictions/${encodeURIComponent(id)}`));
  } finally {
    tell("");
  }
}

addEventListener("hashchange", () => location.hash.length > 1 && open(location.hash.slice(1)).catch(complain));

// --- the answer ----------------------------------------------------------------------------------------------------

let marks = new Map(); // path -> {value, metadata, node, boxes: [elements]}
let current = null; // the prediction shown

const isLeaf = (value) => value === null || typeof value !== "object";
const own = (object) => Object.keys(object).filter((key) => !(key.endsWith("_metadata") && key.slice(0, -9) in object));
const label = (metadata) => (["hi", "med", "lo"].includes(metadata?.confidence) ? metadata.confidence : "");
const isRecording = (prediction) => ["audio", "video"].includes(prediction.usage?.element_type);
const isTimed = (item) => typeof item?.start_time === "number" && (typeof item.content === "string" || Boolean(item.audio || item.video));
const clock = (seconds) => new Date(1000 * seconds).toISOString().slice(seconds < 3600 ? 14 : 11, 19);
const CONFIDENCE = { hi: "high", med: "medium", lo: "low" };

function show(prediction) {
  current = prediction;
  marks = new Map();
  const response = prediction.response;
  const name = memory.get(`name.${prediction.id}`);
  $("answer-title").textContent = name || prediction.domain || "Answer";
  const usage = prediction.usage ?? {};
  const count = usage.elements_processed;
  const amount = isRecording(prediction) ? usage.element_type : count && `${count} page${count === 1 ? "" : "s"}`;
  $("answer-facts").textContent = [name && prediction.domain, amount, `${usage.duration_seconds ?? 0} s`, `${usage.credits_used ?? 0} credits`]
    .filter(Boolean)
    .join(" · ");
  $("answer-notes").textContent = usage.message ?? "";
  $("answer-notes").hidden = !usage.message;
  $("json").textContent = JSON.stringify(response, null, 2);
  $("fields").replaceChildren(...(Array.isArray(response?.pages) && response.pages[0]?.content !== undefined ? markdown(response) : fields(response, "")));
  const empty = $("fields").querySelectorAll(".empty").length;
  $("empty-toggle").hidden = !empty;
  $("empty-toggle").textContent = `${empty} empty`;
  press("empty-toggle", false);
  press("json-toggle", false);
  $("answer").hidden = false;
  drawPages(prediction);
  for (const reset of resets) reset();
  $("answer").focus({ preventScroll: true });
  $("answer").scrollIntoView({ behavior: "smooth", block: "start" });
}

/** The rows of an object or list: leaves as rows, lists of flat objects as tables, the rest as groups. */
function fields(node, path) {
  if (isLeaf(node)) return [valueRow(path || "answer", path, node, null)];
  const names = Array.isArray(node) ? node.map((_, index) => index) : own(node);
  return names.map((name) => {
    const value = node[name];
    const where = Array.isArray(node) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    const title = Array.isArray(node) ? `${Number(name) + 1}` : name;
    if (Array.isArray(value) && value.length && value.every(isTimed)) return transcript(title, where, value);
    if (isLeaf(value)) return valueRow(title, where, value, node[`${name}_metadata`]);
    if (Array.isArray(value) && value.length && value.every(isLeaf)) return valueRow(title, where, value.join("\n"), node[`${name}_metadata`]);
    if (Array.isArray(value) && value.length && value.every((item) => !isLeaf(item) && !Array.isArray(item))) return itemsTable(title, where, value);
    const inner = fields(value, where);
    const group = make("div", { className: "group", aria: { role: "group", label: where } }, make("h3", { textContent: title }), ...inner);
    if (!inner.length || inner.every((row) => row.classList.contains("empty"))) {
      for (const row of inner) row.classList.remove("empty"), (row.hidden = false);
      group.classList.add("empty");
      group.hidden = true;
    }
    return group;
  });
}

/** `at`: when it is to be heard, in seconds. */
function valueRow(title, path, value, metadata, at = metadata?.spans?.[0]?.start_time) {
  const absent = value === null;
  const tone = label(metadata);
  const row = make(
    "button",
    { type: "button", className: `value ${tone}`, data: { path } },
    make("span", { className: "name" }, ...title.split(/(?<=_)/).flatMap((part) => [part, make("wbr")])),
    make("span", { className: absent ? "text null" : "text", textContent: absent ? (metadata?.state ?? "absent") : shown(value) }),
    tone ? make("span", { className: "dot", textContent: CONFIDENCE[tone] }) : null,
    metadata ? make("span", { className: "cite", textContent: citation(value, metadata) }) : null,
  );
  if (absent && !metadata) {
    row.classList.add("empty");
    row.hidden = true;
  }
  marks.set(path, { value, metadata, node: row, boxes: [], at });
  return row;
}

/** What was said, and shown, one row a stretch of time. */
function transcript(title, path, segments) {
  const rows = segments.map((segment, index) => {
    const said = segment.content ?? segment.audio?.content;
    const text = [segment.speaker && said ? `${segment.speaker}: ${said}` : said, segment.video?.content && `[${segment.video.content}]`].filter(Boolean);
    return valueRow(clock(segment.start_time), `${path}[${index}]`, text.join("\n"), null, segment.start_time);
  });
  return make("div", { className: "group" }, make("h3", { textContent: `${title} (${segments.length})` }), ...rows);
}

function itemsTable(title, path, items) {
  const columns = [...new Set(items.flatMap(own))].filter((name) => items.some((item) => item[name] !== null && item[name] !== undefined && isLeaf(item[name])));
  const rest = items.flatMap((item, index) =>
    own(item)
      .filter((name) => !isLeaf(item[name]) && Object.keys(item[name]).length)
      .flatMap((name) => fields({ [name]: item[name] }, `${path}[${index}]`)),
  );
  const cited = make("p", { className: "cited", aria: { live: "polite" } });
  const body = items.map((item, index) =>
    make("tr", {}, ...columns.map((name) => {
      const where = `${path}[${index}].${name}`;
      const value = item[name] ?? null;
      const metadata = item[`${name}_metadata`];
      const cell = make("button", { type: "button", className: `cell ${label(metadata)}`, data: { path: where }, textContent: value === null ? "–" : shown(value) });
      if (typeof value === "number") cell.dataset.number = "";
      cell.setAttribute("aria-label", `${name} ${index + 1}: ${value === null ? "absent" : value}${metadata ? `, ${CONFIDENCE[label(metadata)] ?? "no"} confidence` : ""}`);
      marks.set(where, { value, metadata, node: cell, boxes: [], cited, at: metadata?.spans?.[0]?.start_time });
      return make("td", {}, cell);
    })),
  );
  const head = make("tr", {}, ...columns.map((name) => make("th", { scope: "col", textContent: name })));
  const table = make("table", { className: "items" }, make("thead", {}, head), make("tbody", {}, ...body));
  return make("div", { className: "group" }, make("h3", { textContent: `${title} (${items.length})` }), make("div", { className: "table-wrap" }, table), cited, ...rest);
}

/** Pages of Markdown; the boxes of their tables and figures are drawn, since Markdown carries no metadata of its own. */
function markdown(response) {
  return response.pages.map((page, index) => {
    const number = page.metadata?.page_number ?? index;
    for (const kind of ["tables", "figures"]) {
      (page[kind] ?? []).forEach((part, place) => {
        if (part.bbox) marks.set(`pages[${index}].${kind}[${place}]`, { value: part.content ?? kind, metadata: { bboxes: [{ ...part, page: number }] }, node: null, boxes: [] });
      });
    }
    return make("div", { className: "group" }, make("h3", { textContent: `page ${number}` }), make("pre", { className: "markdown", textContent: page.markdown_content ?? page.content }));
  });
}

const shown = (value) => (typeof value === "boolean" ? (value ? "yes" : "no") : String(value));

function citation(value, metadata) {
  const boxes = metadata.bboxes ?? [];
  const spans = metadata.spans ?? [];
  const trust = [metadata.match, metadata.probability != null && `probability ${metadata.probability.toFixed(2)}`];
  if (spans.length) {
    const times = spans.map((span) => clock(span.start_time)).join(", ");
    return [`“${spans.map((span) => span.content).filter(Boolean).join(" … ")}”`, `at ${times}`, ...trust].filter(Boolean).join(" · ");
  }
  if (!boxes.length) return value === null ? `state: ${metadata.state}` : "not located on a page";
  const said = boxes.map((box) => box.content).filter(Boolean).join(" ");
  const pages = [...new Set(boxes.map((box) => box.page))].join(", ");
  return [`“${said}”`, `page ${pages}`, ...trust].filter(Boolean).join(" · ");
}

// --- pages and boxes -----------------------------------------------------------------------------------------------

let pictures = null; // an IntersectionObserver that fetches what comes into view

function drawPages(prediction) {
  pictures?.disconnect();
  for (const old of $("pages-view").querySelectorAll("img, audio, video")) URL.revokeObjectURL(old.src);
  if (isRecording(prediction)) return drawPlayer(prediction);
  const boxed = [...marks.values()].flatMap((mark) => (mark.metadata?.bboxes ?? []).map((box) => box.page));
  const asked = memory.get(`pages.${prediction.id}`);
  const read = asked ? asked.split(",").map(Number) : [...Array(Math.max(1, prediction.usage?.elements_processed ?? 1)).keys()];
  const indices = [...new Set([...read, ...boxed])].sort((a, b) => a - b);
  const frames = new Map(indices.map((index) => [index, make("figure", { className: "page", data: { index } }, make("figcaption", { textContent: `page ${index}` }))]));
  for (const [path, mark] of marks) {
    for (const { bbox, content, page } of mark.metadata?.bboxes ?? []) {
      const box = make("button", { type: "button", className: `box ${label(mark.metadata)}`, data: { path }, aria: { label: `${path}: ${shown(mark.value)}` } });
      box.title = content && content !== shown(mark.value) ? `${path}: ${content}` : path;
      const [x, y, w, h] = bbox.xywh;
      Object.assign(box.style, { left: `${x * 100}%`, top: `${y * 100}%`, width: `${w * 100}%`, height: `${h * 100}%` });
      frames.get(page).append(box);
      mark.boxes.push(box);
    }
  }
  $("pages-view").replaceChildren(...frames.values());
  pictures = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting) continue;
      pictures.unobserve(target);
      fetchPicture(prediction.id, target);
    }
  }, { rootMargin: "600px" });
  for (const frame of frames.values()) pictures.observe(frame);
}

/** The recording itself, as long as this tab still has the file. */
function drawPlayer(prediction) {
  const here = chosen && chosen.name === memory.get(`name.${prediction.id}`);
  const tag = medium(chosen?.type) === "audio" ? "audio" : "video";
  const absent = () => make("p", { className: "hint", textContent: "Choose the file again to hear it beside its answer." });
  $("pages-view").replaceChildren(here ? make(tag, { controls: true, src: URL.createObjectURL(chosen), aria: { label: chosen.name } }) : absent());
}

async function fetchPicture(id, frame) {
  try {
    const reply = await call("GET", `/predictions/${encodeURIComponent(id)}/pages/${frame.dataset.index}`);
    const image = make("img", { alt: `Page ${frame.dataset.index} of the file`, src: URL.createObjectURL(await reply.blob()) });
    await image.decode();
    frame.prepend(image);
    frame.classList.add("ready");
  } catch (error) {
    frame.prepend(make("p", { className: "missing", textContent: `The picture of this page is not to be had: ${error.message}` }));
  }
}

// --- lighting up ---------------------------------------------------------------------------------------------------

function light(path) {
  for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
  const mark = marks.get(path);
  if (!mark) return null;
  mark.node?.classList.add("lit");
  for (const box of mark.boxes) box.classList.add("lit");
  if (mark.cited) mark.cited.textContent = mark.metadata ? citation(mark.value, mark.metadata) : "";
  return mark;
}

const pathAt = (event) => event.target.closest?.("[data-path]")?.dataset.path;

function listen(container, partner) {
  container.addEventListener("pointerover", (event) => pathAt(event) && light(pathAt(event)));
  container.addEventListener("focusin", (event) => pathAt(event) && light(pathAt(event)) && partner(marks.get(pathAt(event)))?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "smooth" }));
  container.addEventListener("click", (event) => pathAt(event) && partner(light(pathAt(event)))?.scrollIntoView({ block: "center", inline: "nearest", behavior: "smooth" }));
}

listen($("fields"), (mark) => mark.boxes[0]);
listen($("pages-view"), (mark) => mark.node);

$("fields").addEventListener("click", (event) => {
  const at = marks.get(pathAt(event))?.at;
  const player = $("pages-view").querySelector("audio, video");
  if (player && at !== undefined) player.currentTime = at;
});

/** One stop for the Tab key; arrows, Home and End move inside. Returns what to call when the container was filled anew. */
function rove(container, selector) {
  const all = () => [...container.querySelectorAll(selector)];
  const stopAt = (stop) => all().forEach((node) => (node.tabIndex = node === stop ? 0 : -1));
  container.addEventListener("focusin", (event) => event.target.closest(selector) && stopAt(event.target.closest(selector)));
  container.addEventListener("keydown", (event) => {
    const nodes = all().filter((node) => node.offsetParent);
    const here = nodes.indexOf(event.target.closest(selector));
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const next = step ? nodes[here + step] : { Home: nodes[0], End: nodes.at(-1) }[event.key];
    if (here < 0 || !next) return;
    event.preventDefault();
    next.focus();
  });
  return () => stopAt(all().find((node) => node.offsetParent));
}

const resets = [rove($("fields"), ".value, .cell"), rove($("pages-view"), ".box")];

// --- views of the answer -------------------------------------------------------------------------------------------

function press(id, on) {
  $(id).setAttribute("aria-pressed", String(on));
  if (id === "json-toggle") {
    $("json").hidden = !on;
    $("fields").hidden = on;
  } else {
    for (const row of $("fields").querySelectorAll(".empty")) row.hidden = !on;
  }
}

for (const id of ["empty-toggle", "json-toggle"]) $(id).addEventListener("click", () => press(id, $(id).getAttribute("aria-pressed") !== "true"));

$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(JSON.stringify(current.response, null, 2));
    $("copy").textContent = "Copied";
  } catch {
    $("copy").textContent = "Not allowed";
  }
  setTimeout(() => ($("copy").textContent = "Copy"), 1500);
});

// --- start ---------------------------------------------------------------------------------------------------------

if (memory.get("key")) enter().catch(complain);
else askForKey();
