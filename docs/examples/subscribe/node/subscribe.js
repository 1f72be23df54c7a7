// Prints each alert, and writes the eight pictures of its clip: node subscribe.js BROKER FOLDER [COUNT]
//
// It goes on where it stopped, as the consumer group "example-node". With COUNT it ends after
// so many alerts that have pictures.
'use strict'
const fs = require('node:fs')
const path = require('node:path')
const { Kafka, logLevel } = require('kafkajs')

// The fields of a protobuf message: number and value. protobufjs reads topics/clip.proto instead.
function * fields (message) {
  let at = 0
  const varint = () => {
    for (let value = 0, unit = 1; ; unit *= 128) {
      const byte = message[at++]
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const kind = tag % 8
    if (kind === 0) {
      yield [Math.floor(tag / 8), varint()]
      continue
    }
    const size = kind === 2 ? varint() : kind === 1 ? 8 : 4
    yield [Math.floor(tag / 8), message.subarray(at, at += size)]
  }
}

// The JPEGs of a Clip (topics/clip.proto): frames is field 9, and a frame's jpeg field 1.
const of = (message, number) => [...fields(message)].filter(([n]) => n === number).map(([, value]) => value)
const pictures = (clip) => of(clip, 9).flatMap((frame) => of(frame, 1))

// reader returns a function that reads the record at a position. kafkajs knows positions within
// a group alone, so the group has a name of its own.
async function reader (kafka, topic) {
  const consumer = kafka.consumer({ groupId: `example-node-evidence-${process.pid}-${Date.now()}`, maxWaitTimeInMs: 500 })
  const wanted = new Map()
  await consumer.connect()
  await consumer.subscribe({ topic })
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve))
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => wanted.get(`${partition}/${message.offset}`)?.(message.value)
  })
  await joined
  return {
    close: () => consumer.disconnect(),
    read: (at) => new Promise((resolve, reject) => {
      const key = `${at.partition}/${at.offset}`
      const late = setTimeout(() => reject(new Error(`no record at ${topic} ${key}`)), 10_000)
      wanted.set(key, (value) => { clearTimeout(late); wanted.delete(key); resolve(value) })
      consumer.seek({ topic, partition: at.partition, offset: String(at.offset) })
    })
  }
}

// plain is a text of a record as it may be printed: anybody may have written it.
const plain = (text) => String(text).replaceAll(/\p{C}/gu, '?')
// name is a name for the folder of an alert, which leads nowhere else.
const name = (alert) => alert.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 200) || '_'

async function main (broker, folder, count = Infinity) {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR })
  const evidence = await reader(kafka, 'frostwatch.evidence')
  const consumer = kafka.consumer({ groupId: 'example-node', maxWaitTimeInMs: 500 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'frostwatch.alerts', fromBeginning: true })
  const seen = new Set()
  const newest = new Map()
  let done
  const end = new Promise((resolve) => { done = resolve })
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      const generation = Number(message.headers['frostwatch-generation'] ?? 0)
      if (count === 0 || generation < (newest.get(partition) ?? 0)) return // its sender had lost the partition, and did not know it yet
      newest.set(partition, generation)
      const event = JSON.parse(message.value)
      if (seen.has(event.id)) return // a record may come more than once, with the same id
      seen.add(event.id)
      const alert = event.data
      console.log(plain(alert.state), plain(alert.alert_id), plain(alert.label))
      if (alert.state !== 'raised' || !alert.evidence) return
      const to = path.join(folder, name(alert.alert_id))
      fs.mkdirSync(to, { recursive: true })
      pictures(await evidence.read(alert.evidence)).slice(0, 8).forEach((jpeg, i) => fs.writeFileSync(path.join(to, `${i + 1}.jpg`), jpeg))
      if (--count === 0) done()
    }
  })
  await end
  await consumer.disconnect()
  await evidence.close()
}

const [broker, folder, count] = process.argv.slice(2)
main(broker, folder, count && Number(count)).catch((err) => { console.error(err); process.exit(1) })
