// Draws status.json. Texts go into the page as text alone; nothing is loaded from elsewhere.
"use strict";

const EVERY_MS = 5000, TIMEOUT_MS = 4000, FIRST_CHANGES = 12;
const TONES = {
  HEALTHY: "good", OK: "good", SUSPECT: "warn", RAMPING: "warn", EVICTED: "bad", REGION_DOWN: "bad", ERRORS: "bad",
  LATENCY: "bad", COMMON_MODE: "bad", OVERLOADED: "bad", VANTAGE_PARTITIONED: "warn", INTER_REGION_PARTITION: "warn",
  drained: "warn", refused: "warn", failed: "bad", passed: "good",
};
const MARKS = { good: "✓", warn: "!", bad: "✕" };

const $ = (id) => document.getElementById(id);
let shown = null;       // the last document
let failedSince = null; // when the first of the failing attempts began, by this browser's clock
let behindMs = 0;       // the server's clock less this browser's
let all = false;        // the whole log
const drawn = {};       // what each part was last drawn from

/** An element with classes and children; strings become text. */
function make(tag, classes, ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** Draw a part anew only when what it shows has changed, so that nobody loses their place. */
function part(id, data, draw) {
  const key = JSON.stringify(data);
  if (drawn[id] === key) return;
  drawn[id] = key;
  $(id).replaceChildren(...draw());
}

const now = () => Date.now() + behindMs;
const clock = (seconds) => new Date(seconds * 1000);
const words = (name) => String(name).toLowerCase().replaceAll("_", " ");
const percent = (ratio) => ratio === null ? "not measured" : `${Number((ratio * 100).toFixed(1))} %`;
const seconds = (value) => value === null || value === undefined ? "–" : `${Number(value.toFixed(2))} s`;

function time(at) {
  const day = clock(at), date = day.toLocaleDateString(undefined, { day: "numeric", month: "short" });
  const element = make("time", "", `${date}, ${day.toLocaleTimeString(undefined, { hour12: false })}`);
  element.dateTime = day.toISOString();
  element.title = day.toISOString();
  return element;
}

function ago(ms) {
  const whole = Math.max(0, Math.round(ms / 1000));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
  return `${Math.floor(whole / 86400)} days`;
}

function pill(text, tone) {
  return make("span", `pill ${tone || ""}`, MARKS[tone] ? `${MARKS[tone]} ${text}` : text);
}

function swatch(name) {
  const region = shown.regions.find((item) => item.name === name), box = make("span", region ? "swatch" : "swatch static");
  if (region) box.style.backgroundColor = region.colour;
  box.setAttribute("aria-hidden", "true");
  return box;
}

function row(labels, cells) {
  const line = make("tr", "");
  line.setAttribute("role", "row");
  cells.forEach(([content, classes], index) => {
    const cell = make(index ? "td" : "th", classes, make("span", "", ...[content].flat()));
    cell.dataset.label = labels[index];
    cell.setAttribute("role", index ? "cell" : "rowheader");
    if (!index) cell.scope = "row";
    line.append(cell);
  });
  return line;
}

/** Who serves a country; codes that ISO 3166 doesn't hold have the default geography. */
function serverOf(data, code) {
  return data.countries[code] || data.routes.find((route) => route.default).serving;
}

// ---- the parts

function drawHead(data) {
  document.title = `Routing of api.${data.domain}`;
  $("domain").textContent = `api.${data.domain}`;
  const ttl = data.ttl_seconds < data.ttl_normal_seconds ? `${data.ttl_seconds} s (degraded)` : `${data.ttl_seconds} s`;
  $("facts").textContent = `decision ${data.generation} by ${data.active_edge || "no edge"} · ${data.algorithm} · ` +
    `answers live ${ttl}`;
  $("head").textContent = data.log_head || "none";
}

function drawHealth(data) {
  const named = (regions, text) => regions.length ? [`${regions.map((region) => region.name).join(", ")} ${text}`] : [];
  const out = data.regions.filter((region) => region.admission === 0 && !region.drained);
  const unmoved = data.regions.filter((region) => region.admission === 1 && !["OK", "UNKNOWN"].includes(region.verdict));
  const nobody = Object.values(data.countries).some((name) => !data.regions.some((region) => region.name === name));
  const texts = [
    ...nobody ? ["no region can be reached: the static site serves"] : [],
    ...named(out, out.length === 1 ? "is out" : "are out"),
    ...data.regions.filter((region) => region.admission > 0 && region.admission < 1)
      .flatMap((region) => named([region], `is admitted ${percent(region.admission)}`)),
    ...named(data.regions.filter((region) => region.drained), "drained by the inventory"),
    ...unmoved.flatMap((region) => named([region], `serves, but the verdict is ${words(region.verdict)}`)),
    ...named(data.regions.filter((region) => region.verdict === "UNKNOWN"), "not known: too little is seen"),
    ...data.frozen ? ["automatic moves are frozen"] : [],
  ];
  part("health", texts, () => [texts.length ? texts.join(" · ") : `All ${data.regions.length} regions serve.`]);
  $("health").className = `banner ${nobody || out.length ? "bad" : texts.length ? "warn" : "good"}`;
  $("health").hidden = false;
}

function paint(data) {
  for (const country of document.querySelectorAll("#map [data-country]")) {
    const name = serverOf(data, country.dataset.country), region = data.regions.find((item) => item.name === name);
    country.setAttribute("fill", region ? region.colour : "url(#static)");
    const title = country.querySelector("title");
    title.textContent = `${title.textContent.split(": ")[0]}: ${name}`;
  }
}

function drawLegend(data) {
  const counts = {};
  for (const name of Object.values(data.countries)) counts[name] = (counts[name] || 0) + 1;
  const names = data.regions.map((region) => region.name);
  names.push(...Object.keys(counts).filter((name) => !names.includes(name)));
  part("legend", [names, counts, data.regions.map((region) => region.colour)], () => names.map((name) => {
    const count = counts[name] || 0;
    return make("li", "", swatch(name), `${name}: ${count === 1 ? "1 country" : `${count} countries`}`);
  }));
}

function drawCards(data) {
  part("cards", [data.regions, data.window_seconds], () => data.regions.map((region) => {
    const heading = make("h3", "", swatch(region.name), region.name), bar = make("progress", "");
    bar.max = 1;
    bar.value = region.admission;
    bar.setAttribute("aria-label", `${region.name} admitted`);
    const pills = make("p", "pills", pill(words(region.phase), TONES[region.phase]),
      region.drained ? pill("drained", "warn") : "",
      region.verdict === region.phase || region.verdict === "OK" && region.phase === "HEALTHY" ? ""
        : pill(words(region.verdict), TONES[region.verdict]));
    const figure = (name, value) => make("div", "", make("dt", "", name), make("dd", "", value));
    const rate = region.requests_per_second;
    const figures = make("dl", "figures", figure("admitted", percent(region.admission)),
      figure("traffic share", percent(region.share)),
      figure("requests", rate === null ? "not measured" : `${rate.toFixed(1)} /s`),
      figure("failed", rate === 0 ? "no request" : percent(region.error_ratio)));
    const place = [region.geography, region.primary ? "primary" : "", region.location].filter(Boolean).join(" · ");
    const since = region.since ? make("p", "muted", "since ", time(region.since)) : null;
    const hold = region.hold_until && region.hold_until * 1000 > now()
      ? make("p", "muted", "held out until ", time(region.hold_until)) : null;
    const tone = region.admission === 0 ? "bad" : region.admission < 1 || region.drained ? "warn" : "";
    return make("article", `card ${tone}`, heading, make("p", "muted", place), pills, bar, figures, since, hold,
      region.reason ? make("p", "", region.reason) : null,
      region.evidence.length ? make("ul", "", ...region.evidence.map((text) => make("li", "", text))) : null,
      vantages(region));
  }));
}

function vantages(region) {
  if (!region.vantages.length) return make("p", "muted", "Nobody has looked at it yet.");
  const group = (text, ok) => {
    const names = region.vantages.filter((place) => place.ok === ok).map((place) => place.name);
    return names.length ? `${text} ${names.join(", ")}` : "";
  };
  const seen = [group("answers", true), group("fails for", false), group("not known from", null)];
  return make("p", "muted", seen.filter(Boolean).join("; "));
}

function drawRoutes(data) {
  part("routes", [data.routes, data.regions.map((region) => region.colour)], () => data.routes.map((route) => {
    const shares = route.regions.filter((item) => item.share > 0)
      .map((item) => `${item.name} ${percent(item.share)}`).join(", ");
    return row(["geography", "served by", "shares in order", "countries"], [
      [route.default ? `${route.geography} (default)` : route.geography, ""],
      [[swatch(route.serving), route.serving], ""], [shares, ""], [String(route.countries), "number"]]);
  }));
}

function kindOf(change) {
  if (change.refused) return "refused";
  const what = words(change.after || "other");
  return change.kind === "order" ? `order: ${what}` : change.kind === "lifted" ? `order ended: ${what}` : what;
}

function options(id, names) {
  const select = $(id), chosen = select.value;
  part(id, names, () => [new Option("all", ""), ...names.map((name) => new Option(name, name))]);
  if (names.includes(chosen)) select.value = chosen;
}

function drawLog(data) {
  options("f-region", [...new Set(data.changes.map((change) => change.region || "all regions"))].sort());
  options("f-kind", [...new Set(data.changes.map(kindOf))].sort());
  const region = $("f-region").value, kind = $("f-kind").value, text = $("f-text").value.trim().toLowerCase();
  const from = $("f-period").value ? now() / 1000 - Number($("f-period").value) : -Infinity;
  const found = data.changes.filter((change) => (!region || (change.region || "all regions") === region) &&
    (!kind || kindOf(change) === kind) && change.at >= from &&
    (!text || `${change.reason} ${change.by || ""} ${change.region}`.toLowerCase().includes(text)));
  const some = all ? found : found.slice(0, FIRST_CHANGES);
  const count = `${some.length} of ${data.changes.length} changes`;
  part("log-count", [count, data.changes.length], () => [data.changes.length ? count : "No region was ever moved."]);
  $("more").hidden = some.length === found.length;
  part("log", some, () => some.map((change) => {
    const measured = Number.isFinite(change.admission_before) && Number.isFinite(change.admission_after);
    const admission = !measured || change.admission_before === change.admission_after ? ""
      : `${percent(change.admission_before)} → ${percent(change.admission_after)}`;
    const moved = change.before && change.after && change.before !== change.after
      ? `${words(change.before)} → ${words(change.after)}` : "";
    const tone = change.refused ? "warn" : TONES[change.after] || (change.kind === "order" ? "warn" : "");
    return make("li", "", time(change.at),
      make("span", "what", change.region || "all regions", pill(kindOf(change), tone),
        make("span", "muted", [moved, admission].filter(Boolean).join(", "))),
      make("span", "why", change.reason, change.by ? make("span", "muted", ` – ${change.by}`) : ""));
  }));
}

function drawOrders(data) {
  part("orders", data.orders, () => data.orders.length ? data.orders.map((order) => make("li", "", time(order.at),
    make("span", "what", order.region || "all regions", pill(words(order.kind), "warn"),
      order.force ? pill("safety overruled", "bad") : ""),
    make("span", "why", order.reason, make("span", "muted", ` – ${order.by}`), make("span", "muted", ", "),
      order.until ? make("span", "muted", "until ", time(order.until)) : make("span", "muted", "without end"))))
    : [make("li", "muted", "None is in force.")]);
}

function drawBudget(data) {
  const labels = ["a region is", "detected", "answers moved", "last client moved", "objective"];
  part("budget", data.budget, () => data.budget.map((line) => row(labels, [
    [line.kind, ""], [seconds(line.detection_seconds), "number"], [seconds(line.answers_seconds), "number"],
    [seconds(line.total_seconds), "number"],
    [[`${seconds(line.objective_seconds)} `, line.within_objective ? pill("kept", "good") : pill("missed", "bad")],
      "number"]])));
}

function drawDrills(data) {
  const labels = ["when", "what", "detected", "answers moved", "slowest", "failed requests"];
  $("no-drills").hidden = data.drills.length > 0;
  $("drills-table").hidden = data.drills.length === 0;
  part("drills", data.drills, () => data.drills.map((drill) => row(labels, [
    [drill.at ? time(drill.at) : "–", ""], [`${drill.target}: ${drill.fault}`, ""],
    [seconds(drill.detection), "number"], [seconds(drill.answers_changed ?? drill.dns_changed), "number"],
    [seconds(drill.slowest), "number"],
    [drill.requests === null ? "–" : `${drill.failed} of ${drill.requests}`, "number"]])));
}

function drawEdges(data) {
  part("edges", data.edges, () => data.edges.map((edge) => make("li", "",
    make("span", "what", edge.name, pill(edge.active ? "active" : "standby", edge.active ? "good" : "")),
    make("span", "", edge.address, " ", make("span", "muted", ...(edge.heard_at
      ? ["what it saw last: ", time(edge.heard_at), edge.verdict === "OK" ? "" : ` · ${edge.verdict}`] : ["nothing is known of what it sees"]))))));
}

function drawAnswer(data) {
  const code = $("country").value, name = code && serverOf(data, code);
  part("answer", [code, name], () => name ? [swatch(name), name] : []);
  for (const country of document.querySelectorAll("#map [data-country]")) {
    country.classList.toggle("chosen", country.dataset.country === code);
  }
}

function draw() {
  if (!shown) return;
  for (const section of document.querySelectorAll("section, #log-head")) section.hidden = false;
  drawHead(shown);
  drawHealth(shown);
  paint(shown);
  for (const one of [drawLegend, drawCards, drawRoutes, drawLog, drawOrders, drawBudget, drawDrills, drawEdges,
    drawAnswer]) one(shown);
}

// ---- what is old says so

function drawAge() {
  const age = shown ? now() - shown.generated_at * 1000 : 0, old = shown && age > shown.stale_after_seconds * 1000;
  let text = "";
  if (old) {
    text = `Stale since ${clock(shown.generated_at).toLocaleString(undefined, { hour12: false })} (${ago(age)} ago): ` +
      (failedSince ? "this page's server can't be reached." : "its agent has stopped, or another edge decides now.") +
      " What follows may no longer be so.";
  } else if (failedSince) {
    text = shown ? `The last ${ago(Date.now() - failedSince)} brought no answer; what follows is ${ago(age)} old.`
      : "The routing's state can't be reached. Nothing is known yet; trying again.";
  }
  $("stale").hidden = !text;
  if ($("stale").textContent !== text) $("stale").textContent = text;
  document.body.classList.toggle("old", Boolean(old));
}

async function load() {
  const began = Date.now();
  try {
    const answer = await fetch("status.json", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const data = await answer.json();
    const date = Date.parse(answer.headers.get("Date") || "");
    if (!Number.isNaN(date) && Math.abs(date - Date.now()) > 3000) behindMs = date - Date.now();
    shown = data;
    failedSince = null;
    draw();
  } catch (error) {
    failedSince = failedSince || began;
  }
  drawAge();
  setTimeout(load, EVERY_MS);
}

async function loadMap() {
  try {
    const answer = await fetch("world.svg");
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const picture = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", "Map of the world by serving region; the list below and the choice of a country say the same");
    $("map").replaceChildren(document.importNode(picture, true));
    const countries = [...document.querySelectorAll("#map [data-country]")].map((country) =>
      [country.querySelector("title").textContent.split(" (")[0], country.dataset.country]);
    countries.sort((a, b) => a[0].localeCompare(b[0]));
    $("country").replaceChildren(new Option("choose", ""), ...countries.map(([name, code]) => new Option(name, code)));
    draw();
  } catch (error) {
    $("map").replaceChildren(make("p", "muted", "The map couldn't be loaded; the geographies below say the same."));
  }
}

for (const id of ["f-region", "f-kind", "f-period", "f-text"]) {
  $(id).addEventListener("input", () => shown && drawLog(shown));
}
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("more").addEventListener("click", () => { all = true; drawLog(shown); $("log").tabIndex = -1; $("log").focus(); });
$("country").addEventListener("input", () => shown && drawAnswer(shown));
$("map").addEventListener("click", (event) => {
  const country = event.target.closest("[data-country]");
  if (country) { $("country").value = country.dataset.country; $("country").dispatchEvent(new Event("input")); }
});
setInterval(drawAge, 1000);
loadMap();
load();
