#!/usr/bin/python3
"""Do MQTT.js and the samples of paho's C library get what MQTT promises, over TCP and WebSocket?"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from paho_client import Paho
from programs import WIREPOST, Workplace, free_port, wait_for

CONFIG = """
broker:
  listeners: [{{port: {port}}}]
  limits: {{packet_bytes: 2MiB}}
web:
  listen: {{port: {web_port}}}
"""

SCENARIOS = r"""
const mqtt = require('mqtt')
const assert = require('assert')
const [url, level] = process.argv.slice(1)
const version = Number(level)
const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

function open(options = {}) {
  return new Promise((done, fail) => {
    const c = mqtt.connect(url, {protocolVersion: version, reconnectPeriod: 0, ...options})
    c.inbox = []
    c.take = async () => { while (!c.inbox.length) await sleep(2); return c.inbox.shift() }
    c.on('message', (topic, payload, packet) => c.inbox.push({topic, text: payload.toString(), payload, packet}))
    c.pub = (topic, payload, o) => new Promise((ok, no) => c.publish(topic, payload, o, (e) => e ? no(e) : ok()))
    c.sub = (filter, o) => new Promise((ok, no) => c.subscribe(filter, o, (e, granted) => e ? no(e) : ok(granted)))
    c.bye = () => new Promise((ok) => c.end(false, {}, ok))
    c.on('connect', (connack) => { c.connack = connack; done(c) })
    c.on('error', fail)
  })
}
const kept = (clientId, o = {}) =>
  open({clientId, clean: false, ...(version === 5 ? {properties: {sessionExpiryInterval: 60}} : {}), ...o})
const forget = async (clientId) => (await open({clientId, clean: true})).bye()

const scenarios = {
  async session_and_qos() {
    await forget('js')
    let c = await kept('js')
    assert.strictEqual(c.connack.sessionPresent, false)
    await c.sub('s/#', {qos: 2})
    await c.bye()
    const p = await open()
    for (let i = 0; i < 30; i++) await p.pub(`s/${i % 3}`, String(i), {qos: i % 2 + 1})
    c = await kept('js')
    assert.strictEqual(c.connack.sessionPresent, true)
    const got = []
    for (let i = 0; i < 30; i++) got.push(Number((await c.take()).text))
    assert.deepStrictEqual([...got].sort((a, b) => a - b), [...Array(30).keys()])
    await c.bye(); await p.bye(); await forget('js')
  },
  async retained_and_will() {
    const heir = await open()
    await heir.sub('will/#', {qos: 1})
    const dies = await open({will: {topic: 'will/x', payload: 'gone', qos: 1, retain: true}})
    dies.stream.destroy()
    assert.strictEqual((await heir.take()).text, 'gone')
    const late = await open()
    await late.sub('will/#', {qos: 1})
    const m = await late.take()
    assert(m.packet.retain && m.text === 'gone')
    await late.pub('will/x', '', {qos: 1, retain: true})
    await heir.bye(); await late.bye()
  },
  async takeover() {
    const a = await kept('twin')
    const closed = new Promise((ok) => a.on('close', ok))
    const b = await kept('twin')
    await closed
    await b.sub('t', {qos: 1}); await b.pub('t', 'x', {qos: 1})
    assert.strictEqual((await b.take()).text, 'x')
    await b.bye(); await forget('twin')
  },
  async shared() {
    const members = [await open(), await open(), await open()]
    for (const m of members) await m.sub('$share/team/job/#', {qos: 1})
    const p = await open()
    for (let i = 0; i < 60; i++) await p.pub(`job/${i}`, String(i), {qos: 1})
    while (members.reduce((n, m) => n + m.inbox.length, 0) < 60) await sleep(5)
    await sleep(100)
    const counts = members.map((m) => m.inbox.length)
    assert(counts.reduce((a, b) => a + b) === 60 && Math.min(...counts) > 5, String(counts))
    for (const c of [...members, p]) await c.bye()
  },
  async mebibyte() {
    const c = await open()
    const payload = Buffer.alloc(1 << 20, 'wire')
    for (const qos of [0, 1, 2]) {
      await c.sub(`big/${qos}`, {qos})
      c.pub(`big/${qos}`, payload, {qos})
      assert((await c.take()).payload.equals(payload))
    }
    await c.bye()
  },
  async thousand_qos2() {
    const c = await open({properties: version === 5 ? {receiveMaximum: 50} : undefined})
    await c.sub('many', {qos: 2})
    const all = []
    for (let i = 0; i < 1000; i++) all.push(c.pub('many', String(i), {qos: 2}))
    await Promise.all(all)
    for (let i = 0; i < 1000; i++) assert.strictEqual((await c.take()).text, String(i))
    await c.bye()
  },
  async v5_request_expiry_alias() {
    if (version !== 5) return
    const server = await open(), client = await open()
    await server.sub('svc', {qos: 1}); await client.sub('answer', {qos: 1})
    await client.pub('svc', '2+2', {qos: 1, properties: {responseTopic: 'answer', correlationData: Buffer.from([1, 2]),
                                                          userProperties: {who: 'js'}, contentType: 'text/plain'}})
    const q = (await server.take()).packet.properties
    assert.strictEqual(q.userProperties.who, 'js')
    assert.strictEqual(q.contentType, 'text/plain')
    await server.pub(q.responseTopic, '4', {qos: 1, properties: {correlationData: q.correlationData}})
    const answer = await client.take()
    assert.strictEqual(answer.text, '4')
    assert(answer.packet.properties.correlationData.equals(Buffer.from([1, 2])))

    await forget('slow'); let slow = await kept('slow'); await slow.sub('e/#', {qos: 1}); await slow.bye()
    for (const s of [1, 50]) await client.pub(`e/${s}`, 'x', {qos: 1, properties: {messageExpiryInterval: s}})
    await sleep(1300)
    slow = await kept('slow')
    assert.strictEqual((await slow.take()).topic, 'e/50')
    await slow.bye(); await forget('slow')

    await client.sub('alias/#', {qos: 1})
    await client.pub('alias/topic', '1', {qos: 1, properties: {topicAlias: 2}})
    await client.pub('', '2', {qos: 1, properties: {topicAlias: 2}})
    assert.deepStrictEqual([(await client.take()).topic, (await client.take()).topic], ['alias/topic', 'alias/topic'])
    const no = await client.sub('a/#/b', {qos: 1}).catch(() => 'refused')
    assert.strictEqual(no, 'refused')
    await server.bye(); await client.bye()
  },
}

async function main() {
  for (const [name, scenario] of Object.entries(scenarios)) { await scenario(); console.log('ok ' + name) }
  process.exit(0)
}
process.on('unhandledRejection', (e) => { console.error(e); process.exit(1) })
main()
"""


def mqttjs(w, port, web_port):
    env = dict(os.environ, NODE_PATH="/usr/share/nodejs")
    for url in ("mqtt://127.0.0.1:%d" % port, "ws://127.0.0.1:%d/mqtt" % web_port):
        for version in "45":
            ran = subprocess.run(["node", "-e", SCENARIOS, url, version], env=env, timeout=60, capture_output=True, text=True)
            assert ran.returncode == 0, (url, version, ran.stdout, ran.stderr)
            print("MQTT.js, level %s, %s: %s" % (version, url.split(":")[0], ran.stdout.replace("\n", ", ")), flush=True)


def paho_c(w, port, web_port):
    """Its samples, both libraries: the asynchronous one (paho_c_*) and the synchronous one (paho_cs_*)."""
    for program in ("paho_c", "paho_cs"):
        for where in ("tcp://127.0.0.1:%d" % port, "ws://127.0.0.1:%d/mqtt" % web_port):
            for version in ("31", "311", "5"):
                for qos in "012":
                    paho_c_once(w, port, program, where, version, qos)
    print("paho C: both libraries, TCP and WebSocket, MQTT 3.1, 3.1.1 and 5, QoS 0, 1 and 2", flush=True)


def paho_c_once(w, port, program, where, version, qos):
    topic = "c/%s/%s/%s/%s" % (program, where.split(":")[0], version, qos)
    common = ["-c", where, "-V", version, "-q", qos, "-t", topic]
    with Paho(port, "witness") as witness:
        witness.subscribe(topic, 2)
        sub = w.start(["stdbuf", "-oL", program + "_sub", "-i", "c-sub", *common])
        text = "payload of " + topic
        publish = [program + "_pub", "-i", "c-pub", "-m", text, *common]

        def arrives():
            subprocess.run(publish, check=True, timeout=20, capture_output=True)
            assert witness.take().payload.decode() == text
            time.sleep(0.05)
            return text in sub.log()
        wait_for(arrives, 15, "%s to show the message" % " ".join(sub.args))
        sub.stop(status=None)


def main():
    with Workplace() as w:
        port, web_port = free_port(), free_port()
        broker = w.start([WIREPOST, "run", "-c", w.write("w.yaml", CONFIG.format(port=port, web_port=web_port))],
                         ready="web: listening", port=port)
        mqttjs(w, port, web_port)
        paho_c(w, port, web_port)
        broker.stop()


main()
