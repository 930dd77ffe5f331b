// A small MQTT 3.1.1 client over WebSocket: subscribes at QoS 0, reconnects for
// ever, and notices within 3 seconds when nobody answers any more.
//
//     connecting -> live -> lost -> connecting ...
//
// Section numbers are those of the OASIS standard "MQTT Version 3.1.1".

const CONNECT = 1, CONNACK = 2, PUBLISH = 3, SUBSCRIBE = 8, SUBACK = 9, PINGREQ = 12;

const QUIET_MS = 1000; // silence before the server is asked
const ANSWER_MS = 1500; // and before it counts as gone
const OPEN_MS = 5000; // for the connection to be made
const TICK_MS = 250;
const RETRY_MS = [500, 1000, 2000, 4000]; // then every 4 s
const KEEP_ALIVE_S = 120; // a hidden page's timers may run once a minute only

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function text(string) {
    const bytes = encoder.encode(string);
    return [bytes.length >> 8, bytes.length & 255, ...bytes];
}

// 2.2: the packets sent here are shorter than 128 bytes, so their length is one byte.
function packet(type, flags, body) {
    return new Uint8Array([(type << 4) | flags, body.length, ...body]);
}

function connectPacket() {
    const id = "page-" + crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
    const cleanSession = 2;
    return packet(CONNECT, 0, [...text("MQTT"), 4, cleanSession, KEEP_ALIVE_S >> 8, KEEP_ALIVE_S & 255, ...text(id)]);
}

function subscribePacket(filter) {
    return packet(SUBSCRIBE, 2, [0, 1, ...text(filter), 0]);
}

// The first whole packet in the bytes: {type, flags, body, size}, or null while one is incomplete.
export function readPacket(bytes) {
    let length = 0;
    for (let i = 1; i < bytes.length && i <= 4; i++) {
        length += (bytes[i] & 127) * 128 ** (i - 1);
        if (bytes[i] & 128) {
            if (i === 4) throw new Error("length of more than four bytes");
            continue;
        }
        const size = i + 1 + length;
        if (bytes.length < size) return null;
        return { type: bytes[0] >> 4, flags: bytes[0] & 15, body: bytes.subarray(i + 1, size), size };
    }
    return null;
}

// 3.3: {topic, payload, retained}.
export function readPublish({ flags, body }) {
    const end = 2 + ((body[0] << 8) | body[1]);
    const qos = (flags >> 1) & 3;
    return {
        topic: decoder.decode(body.subarray(2, end)),
        payload: decoder.decode(body.subarray(qos ? end + 2 : end)),
        retained: (flags & 1) === 1,
    };
}

// 3.2.2.3
const REFUSALS = ["", "protocol version", "client identifier", "server unavailable", "bad user name or password", "not authorised"];

export class MqttLink {
    // onState({state, reason, retryAt}), onMessage({topic, payload, retained}); times are performance.now().
    constructor(url, filter, { onState, onMessage }) {
        Object.assign(this, { url, filter, onState, onMessage, failures: 0, socket: null });
        setInterval(() => this.tick(), TICK_MS);
        const hurry = () => document.hidden || this.hurry();
        document.addEventListener("visibilitychange", hurry);
        addEventListener("online", hurry);
        this.open();
    }

    open() {
        const socket = new WebSocket(this.url, "mqtt");
        socket.binaryType = "arraybuffer";
        this.socket = socket;
        this.rest = new Uint8Array(0);
        this.live = false;
        this.deadline = performance.now() + OPEN_MS;
        this.onState({ state: "connecting" });
        // Events of an abandoned socket may still come: they are not ours.
        const mine = (handler) => (event) => this.socket === socket && handler(event);
        socket.onopen = mine(() => socket.send(connectPacket()));
        socket.onmessage = mine(({ data }) => this.take(new Uint8Array(data)));
        socket.onclose = mine(() => this.lose("the gateway closed the connection or does not run"));
    }

    lose(reason) {
        const socket = this.socket;
        const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
        this.socket = null;
        this.live = false;
        this.retryAt = performance.now() + wait * (0.75 + Math.random() / 2);
        socket.close();
        this.onState({ state: "lost", reason, retryAt: this.retryAt });
    }

    hurry() {
        if (!this.socket) this.open();
        else if (this.live) this.ask();
    }

    ask() {
        this.socket.send(packet(PINGREQ, 0, []));
        this.deadline = performance.now() + ANSWER_MS;
    }

    tick() {
        const now = performance.now();
        if (!this.socket) {
            if (now >= this.retryAt) this.open();
        } else if (now >= this.deadline) {
            this.lose("no answer");
        } else if (this.live && this.deadline === Infinity && now - this.heardAt >= QUIET_MS) {
            this.ask();
        }
    }

    take(bytes) {
        const data = new Uint8Array(this.rest.length + bytes.length);
        data.set(this.rest);
        data.set(bytes, this.rest.length);
        this.rest = data;
        if (this.live) this.deadline = Infinity;
        this.heardAt = performance.now();
        for (let p = readPacket(this.rest); p && this.socket; p = readPacket(this.rest)) {
            this.rest = this.rest.subarray(p.size);
            this.handle(p);
        }
    }

    handle(p) {
        if (p.type === PUBLISH) {
            this.onMessage(readPublish(p));
        } else if (p.type === CONNACK && p.body[1] !== 0) {
            this.lose("refused: " + (REFUSALS[p.body[1]] ?? "code " + p.body[1]));
        } else if (p.type === CONNACK) {
            this.socket.send(subscribePacket(this.filter));
        } else if (p.type === SUBACK && p.body[2] & 0x80) {
            this.lose("refused: may not subscribe to " + this.filter);
        } else if (p.type === SUBACK) {
            this.live = true;
            this.failures = 0;
            this.deadline = Infinity;
            this.onState({ state: "live" });
        }
    }
}
