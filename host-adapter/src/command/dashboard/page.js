// Asks each second for what is new, and draws it. Nothing from a server is taken for markup: text goes in as text.
"use strict";

const EVERY = 1000;
const WORDS = { "given-up": "given up", unseen: "not seen" };
const KINDS = { failover: "lost", return: "returned", stall: "stalled" };
const WIDTH = 600;
const HEIGHT = 120;
const STRIP = 12;
const SVG = "http://www.w3.org/2000/svg";

/** The points of each member by the group's serial and its name, as far back as they are remembered. */
const points = new Map();
let last = 0;

const byId = (id) => document.getElementById(id);

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function shape(name, attributes, title) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (title) {
    const text = document.createElementNS(SVG, "title");
    text.textContent = title;
    made.append(text);
  }
  return made;
}

const stateOf = (state) => state ?? "unseen";
const word = (state) => WORDS[stateOf(state)] ?? state;
const clock = (ms) => new Date(ms).toLocaleTimeString();
const plural = (number, one, many) => (number === 1 ? `1 ${one}` : `${number} ${many}`);

function rate(callsPerSecond) {
  return callsPerSecond < 10 ? callsPerSecond.toFixed(1) : Math.round(callsPerSecond).toLocaleString();
}

/** The bound of the class of times in which 99 of 100 calls lie. */
function time(ms) {
  if (ms === null) return "–";
  if (ms >= 60000) return "60 s or more";
  if (ms >= 1000) return `≤ ${ms / 1000} s`;
  return ms >= 1 ? `≤ ${ms} ms` : `≤ ${Math.round(ms * 1000)} µs`;
}

function remember(view) {
  const kept = new Set();
  for (const group of view.groups) {
    for (const member of group.members) {
      const key = `${group.serial}\n${member.name}`;
      const all = points.get(key) ?? [];
      all.push(...member.points);
      const oldest = view.now_ms - view.span_ms;
      while (all.length > 0 && all[0].at_ms < oldest) all.shift();
      points.set(key, all);
      member.points = all;
      kept.add(key);
    }
  }
  for (const key of points.keys()) if (!kept.has(key)) points.delete(key);
  last = view.now_ms;
}

function objects(status) {
  if (status === null) return "";
  if (status === "apart") return "an object lives on the member that made it";
  if ("unknown" in status) return status.unknown;
  const short = status.replicated.short;
  if (short === 0) return "every object lives on as many members as asked for";
  return `${plural(short, "object lives", "objects live")} on fewer members than asked for`;
}

/** A strip with the states, and above it the calls and the p99, each by its own scale. */
function timeline(view, group, member) {
  const from = view.now_ms - view.span_ms;
  const x = (ms) => ((ms - from) / view.span_ms) * WIDTH;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  svg.setAttribute("aria-label", `${member.name}: states, calls a second and p99 of the last minutes`);
  const floor = HEIGHT - STRIP - 6;
  for (const y of [2, floor / 2, floor]) svg.append(shape("line", { class: "grid", x1: 0, x2: WIDTH, y1: y, y2: y }));
  const all = member.points;
  let start = 0;
  for (let place = 1; place <= all.length; place += 1) {
    if (place < all.length && all[place].state === all[start].state) continue;
    const state = stateOf(all[start].state);
    const left = x(all[start].at_ms);
    const right = x(place < all.length ? all[place].at_ms : view.now_ms);
    const title = `${word(all[start].state)} from ${clock(all[start].at_ms)}`;
    const box = { class: `is-${state}`, x: left, y: HEIGHT - STRIP, width: Math.max(right - left, 1), height: STRIP };
    svg.append(shape("rect", box, title));
    start = place;
  }
  const line = (className, value) => {
    const most = Math.max(...all.map((point) => value(point) ?? 0), Number.MIN_VALUE);
    let path = "";
    let pen = "M";
    for (const point of all) {
      const height = value(point);
      if (height === null) {
        pen = "M";
        continue;
      }
      path += `${pen}${x(point.at_ms).toFixed(1)} ${(floor - (height / most) * (floor - 2)).toFixed(1)}`;
      pen = "L";
    }
    svg.append(shape("path", { class: className, d: path }));
    return most;
  };
  // Times span six orders of magnitude.
  const magnitude = (ms) => (ms === null ? null : Math.max(Math.log10(ms * 1000), 0));
  line("p99", (point) => magnitude(point.p99_ms));
  const most = line("calls", (point) => point.calls_per_second);
  for (const mark of view.marks) {
    if (mark.group !== group.serial || mark.member !== member.name) continue;
    const at = x(mark.at_ms);
    const title = `${KINDS[mark.kind]} ${clock(mark.at_ms)} ${mark.why}`;
    svg.append(shape("line", { class: `mark ${mark.kind}`, x1: at, x2: at, y1: 0, y2: HEIGHT }, title));
  }
  const peak = element("span", "key-calls", `calls/s, up to ${rate(most)}`);
  const axis = element("div", "axis", `${view.span_ms / 60000} min ago`, peak, element("span", "key-p99", "p99 (log)"), "now");
  return [svg, axis];
}

function figure(name, value) {
  return element("div", "", element("dt", "", name), element("dd", "", value));
}

/** What an application says of a member that does not serve there, or that differs from another's word. */
function seen(entry) {
  const status = entry.status;
  const parts = [`${entry.program} (${entry.pid}): ${word(status.state)}`, status.code.name];
  if (status.evidence) parts.push(status.evidence);
  if (status.attempts > 0) {
    const allowed = status.attempts_allowed === null ? "" : ` of ${status.attempts_allowed}`;
    parts.push(`attempt ${status.attempts}${allowed}`);
  }
  if (status.next_attempt_ms !== null) parts.push(`next in ${Math.ceil(status.next_attempt_ms / 1000)} s`);
  return element("li", "", parts.join(" · "));
}

function memberCard(view, group, member) {
  const sum = (value) => member.seen.reduce((total, entry) => total + value(entry.status), 0);
  const state = stateOf(member.state);
  const role = member.seen.length > 0 ? member.seen[0].status.role : "";
  const name = element("div", "name", element("h3", "", member.name));
  name.append(element("span", `state is-${state}`, word(member.state)), element("span", "faint", role));
  const figures = element("dl", "");
  figures.append(figure("calls/s", rate(member.calls_per_second)), figure("p99", time(member.p99_ms)));
  figures.append(figure("in flight", sum((status) => status.in_flight)), figure("not answered", sum((status) => status.failures)));
  figures.append(figure("losses", sum((status) => status.losses)), figure("returns", sum((status) => status.recoveries)));
  const card = element("article", "", name, figures, ...timeline(view, group, member));
  card.dataset.member = member.name;
  card.dataset.state = state;
  const away = member.seen.filter((entry) => !["active", "standby"].includes(entry.status.state));
  if (away.length > 0) card.append(element("ul", "seen", ...away.map(seen)));
  return card;
}

function groupSection(view, group) {
  const users = group.applications.map((process) => `${process.program} (${process.pid})`);
  const used = users.length === 0 ? "no application uses it now" : users.join(", ");
  const head = element("div", "head", element("h2", "", group.label), element("span", "faint", `serial ${group.serial} · ${used}`));
  const serves = group.members.some((member) => member.seen.some((entry) => ["active", "standby"].includes(entry.status.state)));
  const section = element("section", "", head, element("p", "objects", objects(group.objects)));
  if (users.length > 0 && !serves) section.append(element("p", "problem", "no member serves"));
  const cards = group.members.map((member) => memberCard(view, group, member));
  section.append(element("div", "members", ...cards));
  return section;
}

function markRow(view, mark) {
  const group = view.groups.find((candidate) => candidate.serial === mark.group);
  const member = view.groups.length > 1 ? `${mark.member} of ${group ? group.label : mark.group}` : mark.member;
  const kind = element("td", `${mark.kind}-word`, KINDS[mark.kind]);
  const cells = [member, `${mark.program} (${mark.pid})`, mark.why].map((text) => element("td", "", text));
  return element("tr", "", element("td", "", clock(mark.at_ms)), kind, ...cells);
}

function draw(view) {
  const groups = view.groups.map((group) => groupSection(view, group));
  if (groups.length === 0) {
    const text = "No application of this user uses everslot now. To look for the tokens themselves: everslot status";
    groups.push(element("p", "faint", text));
  }
  byId("groups").replaceChildren(...groups);
  byId("problems").replaceChildren(...view.problems.map((problem) => element("li", "problem", problem)));
  byId("happened").hidden = view.marks.length === 0;
  byId("marks").replaceChildren(...view.marks.toReversed().map((mark) => markRow(view, mark)));
  byId("live").className = "";
  byId("live").textContent = `as of ${clock(view.now_ms)}`;
}

async function look() {
  try {
    const answer = await fetch(`/state.json?after=${last}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const view = await answer.json();
    // The command was started anew: what it remembers begins anew, too.
    if (view.now_ms < last) points.clear();
    remember(view);
    draw(view);
  } catch (error) {
    byId("live").className = "gone";
    byId("live").textContent = `everslot dashboard does not answer any more (${error.message}); start it again`;
  }
  setTimeout(look, EVERY);
}

look();
