// What the topics under wp/ say, as objects: gateways, their devices, their tags.
//
//     wp/<gateway>/state, info, devices
//     wp/<gateway>/d/<device>/availability, status, json, v/<tag>

function parse(payload) {
    try {
        const value = JSON.parse(payload);
        return value !== null && typeof value === "object" ? value : {};
    } catch {
        return {};
    }
}

function entry(map, name, make) {
    if (!map.has(name)) map.set(name, make());
    return map.get(name);
}

// The plain value's text is the gateway's own, such as "20.0"; a JSON number's is not.
const saysTheSame = (text, value) => text !== null && (typeof value === "number" ? Number(text) === value : text === value);

// sampledAt: the gateway's clock, or null; heardAt: this page's; live: it was heard when it was sent.
const newTag = () => ({ text: null, reason: "", sampledAt: null, heardAt: null, live: false });
const newDevice = () => ({ availability: "", status: {}, tags: new Map() });
const newGateway = () => ({ state: "", info: {}, listed: null, devices: new Map() });

// The gateway's clock, on a monotonic one: phones and gateways in the field are
// often wrong by hours. A message that is not retained has just been sent, so
// the largest difference seen is the one with the least delay.
class Clock {
    offset = null;

    learn(ts, now) {
        this.offset = Math.max(this.offset ?? -Infinity, ts - now);
    }
}

export class Store {
    gateways = new Map();
    clock = new Clock();

    // now: performance.now()
    take({ topic, payload, retained }, now) {
        const [root, id, kind, device, what, tag, ...more] = topic.split("/");
        if (root !== "wp" || !id || more.length) return;
        const gateway = entry(this.gateways, id, newGateway);
        if (device === undefined) this.takeOfGateway(gateway, kind, payload);
        else if (kind === "d") this.takeOfDevice(gateway, device, [what, tag], { payload, retained, now });
    }

    takeOfGateway(gateway, kind, payload) {
        if (kind === "state") gateway.state = payload;
        if (kind === "info") gateway.info = parse(payload);
        if (kind === "devices") gateway.listed = payload ? parse(payload) : null;
    }

    takeOfDevice(gateway, name, [what, tag], { payload, retained, now }) {
        const device = entry(gateway.devices, name, newDevice);
        if (what === "availability") device.availability = payload;
        if (what === "status") device.status = parse(payload);
        if (what === "json") this.takeJson(device, parse(payload), retained, now);
        if (what === "v" && tag) this.takeValue(entry(device.tags, tag, newTag), payload, retained, now);
    }

    takeValue(tag, payload, retained, now) {
        const text = payload === "" ? null : payload;
        if (retained && tag.text === text && tag.heardAt !== null) return; // its json message, which has the time, came first
        if (text !== null) tag.reason = "";
        Object.assign(tag, { text, sampledAt: null, heardAt: now, live: !retained });
    }

    takeJson(device, { ts, v, q }, retained, now) {
        if (!retained && ts) this.clock.learn(ts, now);
        for (const [name, value] of Object.entries(v ?? {})) {
            const tag = entry(device.tags, name, newTag);
            if (value === null) tag.text = null;
            else if (!saysTheSame(tag.text, value)) tag.text = String(value);
            tag.reason = q?.[name] ?? "";
            Object.assign(tag, { sampledAt: ts ?? null, heardAt: now, live: !retained });
        }
    }

    // {ms, exact}; not exact: it is at least so old. null: there never was one.
    ageOf(tag, now) {
        if (tag.heardAt === null) return null;
        if (tag.sampledAt !== null && this.clock.offset !== null)
            return { ms: now + this.clock.offset - tag.sampledAt, exact: true };
        return { ms: now - tag.heardAt, exact: tag.live };
    }
}

// The devices to show, in the gateway's own order: [name, device, {bus, unit, template, tags}].
export function devicesOf(gateway) {
    const listed = gateway.listed ?? {};
    const names = gateway.listed ? Object.keys(listed) : [...gateway.devices.keys()];
    return names.map((name) => [name, gateway.devices.get(name) ?? newDevice(), listed[name] ?? {}]);
}

// [name, tag, {unit, type}]
export function tagsOf(device, about) {
    const listed = about.tags ?? {};
    const names = about.tags ? Object.keys(listed) : [...device.tags.keys()];
    return names.map((name) => [name, device.tags.get(name) ?? newTag(), listed[name] ?? {}]);
}
