// Codes in words.

const REASONS = {
    timeout: "timed out",
    crc: "damaged answer",
    sentinel: "the device has no value",
    range: "out of range",
    stale: "too old",
    bus_fault: "bus fault",
    uncertain_clock: "clock not set yet",
};

const EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "still working on it",
    6: "busy",
    8: "memory error",
    10: "gateway has no path",
    11: "gateway got no answer",
};

// "timeout", "exception:2", "enum:7" of a json message's q.
export function reasonInWords(code) {
    const [kind, detail] = code.split(":");
    if (kind === "exception") return `refused: ${EXCEPTIONS[detail] ?? "exception " + detail}`;
    if (kind === "enum") return `unknown state ${detail}`;
    return REASONS[code] ?? code;
}

export function ageInWords(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 100) return `${s} s`;
    if (s < 100 * 60) return `${Math.floor(s / 60)} min`;
    if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
    return `${Math.floor(s / 86400)} d`;
}
