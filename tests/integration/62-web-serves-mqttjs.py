"""Does MQTT.js, the client of most browser pages, work over /mqtt?

MQTT 3.1.1 and 5: QoS 0, 1 and 2 both ways, retained messages, payloads from
empty to 200 kB, 5000 messages in order, and a clean end. Needs node-mqtt.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))
from programs import Workplace
from web import WebSite

SCRIPT = r"""
const mqtt = require('mqtt')
const assert = require('assert')
const [port, version] = process.argv.slice(1).map(Number)
const c = mqtt.connect(`ws://127.0.0.1:${port}/mqtt`, {protocolVersion: version, reconnectPeriod: 0})
const fail = (e) => { console.error(e); process.exit(1) }
const publish = (topic, payload, qos, retain = false) =>
  new Promise((done) => c.publish(topic, payload, {qos, retain}, (e) => e ? fail(e) : done()))
const subscribe = (filter, qos) => new Promise((done) => c.subscribe(filter, {qos}, (e) => e ? fail(e) : done()))
let waiting = null
const inbox = []
c.on('message', (topic, payload, packet) => { inbox.push({topic, payload, packet}); if (waiting) waiting() })
c.on('error', fail)
async function take() {
  while (!inbox.length) await new Promise((done) => { waiting = done })
  return inbox.shift()
}
c.on('connect', async () => {
  for (const qos of [0, 1, 2]) {
    await subscribe(`js/${qos}`, qos)
    for (const size of [0, 1, 125, 126, 65535, 65536, 200000]) {
      const payload = Buffer.alloc(size, size & 255)
      publish(`js/${qos}`, payload, qos)
      const got = await take()
      assert.strictEqual(got.topic, `js/${qos}`)
      assert(got.payload.equals(payload))
      assert.strictEqual(got.packet.qos, qos)
    }
  }
  await publish('js/kept', 'retained', 1, true)
  await subscribe('js/kept', 1)
  const kept = await take()
  assert(kept.packet.retain && kept.payload.toString() === 'retained')
  await publish('js/kept', '', 1, true)
  await take()

  await subscribe('js/many', 1)
  for (let i = 0; i < 5000; i++) publish('js/many', String(i), 1)
  for (let i = 0; i < 5000; i++) assert.strictEqual((await take()).payload.toString(), String(i))
  c.end(false, () => { console.log('done'); process.exit(0) })
})
"""


def main():
    with Workplace() as w:
        site = WebSite(w)
        env = dict(os.environ, NODE_PATH="/usr/share/nodejs")
        for version in (4, 5):
            ran = subprocess.run(["node", "-e", SCRIPT, str(site.web_port), str(version)], env=env, timeout=60,
                                 capture_output=True, text=True)
            assert ran.returncode == 0 and ran.stdout == "done\n", ran.stdout + ran.stderr
            print("ok   MQTT.js, protocol level", version)
        site.program.stop()


main()
