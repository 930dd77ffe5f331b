// Shows what the store holds: one section a gateway, one card a device, one row a tag.
// Everything that comes from a message is set as text, never as markup.

import { MqttLink } from "./mqtt.js";
import { Store, devicesOf, tagsOf } from "./store.js";
import { ageInWords, reasonInWords } from "./words.js";

const LONG = 14; // characters; a longer value may be broken anywhere

const byId = (id) => document.getElementById(id);
let store = new Store();
let fresh = true; // nothing has come on this connection yet
let link = { state: "connecting" };
let lostAt = null;

function element(name, className, ...children) {
    const e = document.createElement(name);
    if (className) e.className = className;
    e.append(...children);
    return e;
}

// Touching the page only where it changes keeps selections and screen readers undisturbed.
function setText(e, text) {
    if (e.textContent !== text) e.textContent = text;
}

function setState(e, text, state = text) {
    setText(e, text);
    e.dataset.state = state;
    e.hidden = text === "";
}

// Makes the children of `parent` those of `names`, in order; views are kept by name.
function arrange(parent, views, names, make) {
    for (const [name, view] of views) {
        if (names.includes(name)) continue;
        view.root.remove();
        views.delete(name);
    }
    names.forEach((name, i) => {
        if (!views.has(name)) views.set(name, make(name));
        const { root } = views.get(name);
        if (parent.children[i] !== root) parent.insertBefore(root, parent.children[i] ?? null);
    });
}

// A name, which may be broken after its underscores, dots and dashes, and anywhere if that is not enough.
function named(kind, name) {
    const parts = name.split(/(?<=[_.-])/);
    const className = parts.some((part) => part.length > LONG) ? "anywhere" : "";
    return element(kind, className, ...parts.flatMap((part, i) => (i ? [document.createElement("wbr"), part] : [part])));
}

function newTagView(name) {
    const v = { value: element("span", "value"), unit: element("span", "unit"), age: element("td", "age") };
    v.why = element("span", "why");
    v.reading = element("td", "reading", v.value, v.unit, v.why);
    v.root = element("tr", "", named("th", name), v.reading, v.age);
    v.root.firstChild.scope = "row";
    return v;
}

function showTag(v, tag, about, device) {
    const bad = tag.text === null;
    const code = tag.reason || (device.availability === "offline" && device.status.reason) || "";
    const text = bad ? "no data" : tag.text;
    if (v.value.textContent !== text && v.value.textContent !== "") {
        v.root.classList.remove("changed");
        void v.root.offsetWidth; // starts the highlight anew
        v.root.classList.add("changed");
    }
    setText(v.value, text);
    setText(v.unit, bad ? "" : (about.unit ?? ""));
    setText(v.why, bad && code ? reasonInWords(code) : "");
    v.root.classList.toggle("bad", bad);
    v.reading.classList.toggle("anywhere", text.length > LONG);
    v.tag = tag;
    showAge(v);
}

function showAge(v) {
    const age = store.ageOf(v.tag, performance.now());
    setText(v.age, age ? (age.exact ? "" : "> ") + ageInWords(age.ms) : "");
}

function newDeviceView(name) {
    const v = { state: element("span", "badge"), about: element("p", "about"), rows: element("tbody"), tags: new Map() };
    const head = element("tr", "", element("th", "", "Tag"), element("th", "reading", "Value"), element("th", "age", "Age"));
    head.childNodes.forEach((th) => (th.scope = "col"));
    const title = named("h3", name);
    const table = element("table", "", element("thead", "", head), v.rows);
    table.setAttribute("aria-label", name);
    v.root = element("section", "card", element("div", "title", title, v.state), v.about, table);
    return v;
}

function showDevice(v, device, about) {
    const state = device.status.state;
    const detail = device.availability === "online" && state === "slow" ? "slow" : device.availability;
    setState(v.state, detail || "unknown");
    const facts = [about.bus, about.unit !== undefined && `unit ${about.unit}`, about.template];
    setText(v.about, facts.filter(Boolean).join(" · "));
    const tags = tagsOf(device, about);
    arrange(v.rows, v.tags, tags.map(([name]) => name), newTagView);
    for (const [name, tag, aboutTag] of tags) showTag(v.tags.get(name), tag, aboutTag, device);
}

function newGatewayView(name) {
    const v = { state: element("span", "badge"), about: element("p", "about"), cards: element("div", "cards"), devices: new Map() };
    v.root = element("section", "gateway", element("div", "title", named("h2", name), v.state), v.about, v.cards);
    return v;
}

function showGateway(v, gateway) {
    setState(v.state, gateway.state);
    v.root.classList.toggle("offline", gateway.state === "offline");
    setText(v.about, gateway.info.version ? `version ${gateway.info.version}` : "");
    const devices = devicesOf(gateway);
    arrange(v.cards, v.devices, devices.map(([name]) => name), newDeviceView);
    for (const [name, device, about] of devices) showDevice(v.devices.get(name), device, about);
}

const views = new Map();

function show() {
    arrange(byId("gateways"), views, [...store.gateways.keys()], newGatewayView);
    for (const [name, gateway] of store.gateways) showGateway(views.get(name), gateway);
    const first = store.gateways.keys().next().value;
    document.title = (link.state === "live" ? "" : "(offline) ") + (first ? first + " – wirepost" : "wirepost");
}

let planned = false;

function plan() {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
        planned = false;
        show();
    });
}

function showLink() {
    const now = performance.now();
    const lost = lostAt !== null;
    setState(byId("link"), lost && link.state === "connecting" ? "reconnecting" : link.state, lost ? "lost" : link.state);
    document.body.classList.toggle("lost", lost);
    byId("banner").hidden = !lost;
    if (lost) {
        const next = link.state === "lost" ? Math.max(0, Math.ceil((link.retryAt - now) / 1000)) : 0;
        setText(byId("lost-for"), ageInWords(now - lostAt));
        setText(byId("lost-next"), next > 0 ? `Next try in ${next} s.` : "Trying now.");
    }
}

// The banner is announced once: what counts on in it is hidden from screen readers.
function announceLoss(reason) {
    const counting = element("span", "", " Lost for ", element("span"), ". ", element("span"));
    counting.setAttribute("aria-hidden", "true");
    counting.children[0].id = "lost-for";
    counting.children[1].id = "lost-next";
    byId("banner").replaceChildren(
        element("strong", "", "Connection lost: "), `${reason}. These are the last known values.`, counting);
}

function onState(state) {
    link = state;
    if (state.state === "connecting") fresh = true;
    if (state.state === "live") lostAt = null;
    if (state.state === "lost" && lostAt === null) {
        lostAt = performance.now();
        announceLoss(state.reason);
    }
    if (state.state === "live") setTimeout(() => (byId("empty").hidden = store.gateways.size > 0), 1000);
    showLink();
    plan();
}

function onMessage(message) {
    // A new connection begins with all that is retained: what is no longer there goes away.
    if (fresh) store = new Store();
    fresh = false;
    byId("empty").hidden = true;
    store.take(message, performance.now());
    plan();
}

setInterval(() => {
    showLink();
    for (const gateway of views.values())
        for (const device of gateway.devices.values()) device.tags.forEach(showAge);
}, 1000);

const url = new URL("mqtt", location.href);
url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
new MqttLink(url.href, "wp/#", { onState, onMessage });
