// The course with kafkajs. The steps and what they mean are those of ../python/course.py; NODE_PATH has kafkajs.
'use strict'
const assert = require('node:assert')
const fs = require('node:fs')
const { Kafka, KafkaJSProtocolError, logLevel } = require('kafkajs')

const { BOOTSTRAP, TOPIC, GROUP, STATE, REPLICATION } = process.env
const ORDERS = 60, CUSTOMERS = 12, LARGE = 1_500_000

const kafka = new Kafka({ clientId: 'course', brokers: BOOTSTRAP.split(','), logLevel: logLevel.ERROR, retry: { initialRetryTime: 50, retries: 10 } })
const admin = kafka.admin()
let acknowledged = [] // [partition, offset, order id]
let committed = {}
let handled = new Set()

const order = i => ({ id: i, customer: `customer-${i % CUSTOMERS}`, note: '주문' })
const sorted = rows => rows.map(r => JSON.stringify(r)).sort()
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

async function until(seconds, what, f) {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const v = await f()
    if (v) return v
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${typeof what === 'function' ? what() : what}`)
    await pause(50)
  }
}

async function send(messages) {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    const places = []
    for (const m of messages) { // one request each: the answer names only the first offset of a batch
      const [r] = await producer.send({ topic: TOPIC, acks: -1, messages: [m] })
      places.push([r.partition, Number(r.baseOffset)])
    }
    return places
  } finally {
    await producer.disconnect()
  }
}

async function sendOrders(ids, partitions) {
  const messages = ids.map((i, n) => ({ key: order(i).customer, value: JSON.stringify(order(i)), ...(partitions && { partition: partitions[n] }) }))
  const places = await send(messages)
  places.forEach(([p, o], n) => acknowledged.push([p, o, ids[n]]))
}

// A consumer of a group that keeps what it has read and what it is assigned.
class Reader {
  constructor(group, fromBeginning = true) {
    this.got = []
    this.assigned = null
    this.consumer = kafka.consumer({ groupId: group, sessionTimeout: 10000, heartbeatInterval: 500, maxWaitTimeInMs: 200, maxBytesPerPartition: 4_000_000, metadataMaxAge: 1000 })
    const { GROUP_JOIN, REBALANCING, CRASH } = this.consumer.events
    this.consumer.on(GROUP_JOIN, e => { this.assigned = e.payload.memberAssignment[TOPIC] || [] })
    this.consumer.on(REBALANCING, () => { this.assigned = null })
    this.consumer.on(CRASH, e => { this.error = e.payload.error })
    this.running = this.consumer.connect()
      .then(() => this.consumer.subscribe({ topic: TOPIC, fromBeginning }))
      .then(() => this.consumer.run({
        autoCommit: false,
        eachMessage: async ({ partition, message: m }) => { this.got.push([partition, Number(m.offset), m.key.toString(), JSON.parse(m.value)]) },
      }))
  }

  async take(n, seconds = 40) {
    await this.running
    await until(seconds, () => `${this.got.length} of ${n} records; ${this.error || ''}`, () => this.got.length >= n)
    return this.got
  }

  commit(offsets) {
    return this.consumer.commitOffsets(Object.entries(offsets).map(([p, o]) => ({ topic: TOPIC, partition: Number(p), offset: String(o) })))
  }

  async close() {
    await this.running
    await this.consumer.disconnect()
    this.assigned = null
  }
}

async function readAll(group, n) {
  const reader = new Reader(group)
  const got = await reader.take(n)
  await reader.close()
  return got
}

const nexts = records => records.reduce((out, [p, o]) => ({ ...out, [p]: Math.max(out[p] || 0, o + 1) }), {})
const places = records => records.map(([p, o, , v]) => [p, o, v.id])
const partitionCount = async () => (await admin.fetchTopicMetadata({ topics: [TOPIC] })).topics[0].partitions.length

async function committedOffsets() {
  const [{ partitions }] = await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] })
  return Object.fromEntries(partitions.filter(p => Number(p.offset) >= 0).map(p => [p.partition, Number(p.offset)]))
}

async function sendLarge() {
  try {
    return (await send([{ key: 'large', value: JSON.stringify({ id: -1, body: 'x'.repeat(LARGE) }) }]))[0]
  } catch (e) {
    const cause = e instanceof KafkaJSProtocolError ? e : e.cause
    if (cause && cause.type === 'MESSAGE_TOO_LARGE') return null
    throw e
  }
}

const before = {
  async 'create-topic'() {
    await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 3, replicationFactor: Number(REPLICATION) }], waitForLeaders: true })
    assert.equal(await partitionCount(), 3)
  },
  async 'produce-json-with-keys'() {
    await sendOrders([...Array(ORDERS).keys()])
    assert.equal(new Set(acknowledged.map(([p, o]) => `${p}/${o}`)).size, ORDERS)
  },
  async 'same-key-same-partition-in-order'() {
    const got = await readAll(GROUP + '-order', ORDERS)
    assert.deepEqual(sorted(places(got)), sorted(acknowledged))
    const byKey = {}
    for (const [p, , key, v] of got) {
      assert.deepEqual(v, order(v.id));
      (byKey[key] ||= []).push([p, v.id])
    }
    assert.equal(Object.keys(byKey).length, CUSTOMERS)
    for (const [key, seen] of Object.entries(byKey)) {
      assert.equal(new Set(seen.map(([p]) => p)).size, 1, `partitions of ${key}`)
      const ids = seen.map(([, id]) => id)
      assert.deepEqual(ids, [...ids].sort((a, b) => a - b), `order of ${key}`)
    }
  },
  async 'group-reads-and-commits'() {
    const reader = new Reader(GROUP)
    const got = (await reader.take(20)).slice(0, 20) // what came beyond is not handled, as if the program had died
    committed = nexts(got)
    await reader.commit(committed)
    await reader.close()
    handled = new Set(got.map(([, , , v]) => v.id))
  },
  async 'restart-resumes-at-commit'() {
    const reader = new Reader(GROUP)
    const got = (await reader.take(ORDERS - handled.size)).slice()
    const ids = got.map(([, , , v]) => v.id)
    assert.deepEqual(ids.filter(i => handled.has(i)), [], 'orders handled twice')
    assert.equal(new Set([...handled, ...ids]).size, ORDERS)
    if (got.length) await reader.commit(nexts(got))
    committed = { ...committed, ...nexts(got) }
    await reader.close()
    assert.deepEqual(await committedOffsets(), committed)
  },
  async 'second-group-reads-everything'() {
    assert.equal((await readAll(GROUP + '-audit', ORDERS)).length, ORDERS)
  },
  async 'members-share-partitions'() {
    let members = [1, 2, 3].map(() => new Reader(GROUP + '-shared'))
    const held = () => members.map(m => m.assigned)
    const split = (...sizes) => until(40, () => `partitions shared ${sizes}, is ${JSON.stringify(held())}`, () => {
      const now = held()
      return !now.includes(null) && String(now.map(a => a.length).sort()) === String(sizes) && String(now.flat().sort()) === '0,1,2'
    })
    try {
      await split(1, 1, 1)
      members.push(new Reader(GROUP + '-shared'))
      await split(0, 1, 1, 1)
      const leaver = members.find(m => m.assigned.length)
      members = members.filter(m => m !== leaver)
      await leaver.close()
      await split(1, 1, 1)
    } finally {
      await Promise.all(members.map(m => m.close()))
    }
  },
  async 'partitions-grow'() {
    await admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 6 }] })
    await until(15, 'six partitions in metadata', async () => await partitionCount() === 6)
    await sendOrders([ORDERS, ORDERS + 1, ORDERS + 2], [3, 4, 5])
    assert.deepEqual(acknowledged.slice(ORDERS).map(([p]) => p), [3, 4, 5])
  },
  async 'latest-skips-what-was-there'() {
    const reader = new Reader(GROUP + '-late', false)
    let i = 1000
    await until(40, 'a new order', async () => {
      await sendOrders([i++])
      return reader.got.length
    })
    assert.deepEqual(reader.got.map(([, , , v]) => v.id).filter(id => id < 1000), [], 'old orders read')
    await reader.close()
  },
  async 'large-message-needs-a-larger-limit'() {
    assert.equal(await sendLarge(), null, 'accepted 1.5 MB')
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: TOPIC, configEntries: [{ name: 'max.message.bytes', value: '3000000' }] }] })
    const place = await until(15, '1.5 MB accepted after max.message.bytes was raised', sendLarge)
    acknowledged.push([...place, -1])
  },
}

const after = {
  async 'acknowledged-survives'() {
    assert.deepEqual(sorted(places(await readAll(GROUP + '-check', acknowledged.length))), sorted(acknowledged))
  },
  async 'committed-survives'() {
    assert.deepEqual(await committedOffsets(), committed)
  },
  async 'group-goes-on'() {
    const behind = acknowledged.filter(([p, o]) => o >= (committed[p] || 0)).map(([, , id]) => id)
    await sendOrders([2000])
    const got = await readAll(GROUP, behind.length + 1)
    assert.deepEqual(sorted(got.map(([, , , v]) => v.id)), sorted([...behind, 2000]))
  },
}

async function walk(steps) {
  for (const [name, step] of Object.entries(steps)) {
    const start = Date.now()
    try {
      await step()
      console.log(`ok ${name}`)
    } catch (e) {
      console.log(`not ok ${name}: ${String(e).replaceAll('\n', ' ')}`)
      console.error(e)
      return 1
    }
    console.error(`${name}: ${(Date.now() - start) / 1000} s`)
  }
  return 0
}

async function main() {
  await admin.connect()
  if (process.argv[2] === 'after') ({ acknowledged, committed } = JSON.parse(fs.readFileSync(STATE)))
  const code = await walk(process.argv[2] === 'after' ? after : before)
  if (process.argv[2] === 'before') fs.writeFileSync(STATE, JSON.stringify({ acknowledged, committed }))
  process.exit(code)
}

main()
