// Transactions with kafkajs. The steps and what they mean are those of ../python/transactions.py; NODE_PATH has kafkajs.
'use strict'
const assert = require('node:assert')
const readline = require('node:readline')
const { Kafka, logLevel } = require('kafkajs')

const { BOOTSTRAP, IN, OUT, GROUP, TRANSACTIONAL_ID } = process.env
const ORDERS = 30

const kafka = new Kafka({ clientId: 'transactions', brokers: BOOTSTRAP.split(','), logLevel: logLevel.ERROR, retry: { initialRetryTime: 100, retries: 30, maxRetryTime: 2000 } })
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const lines = readline.createInterface({ input: process.stdin })

async function producer(transactionalId) {
  const p = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true })
  await p.connect()
  return p
}

const send = (transaction, partition, ...values) => transaction.send({ topic: OUT, acks: -1, messages: values.map(value => ({ partition, value })) })

async function write(word, n) {
  const transaction = await main.producer.transaction()
  for (let i = 0; i < n; i++) await send(transaction, i % 2, `${word}-${i}`)
  return transaction
}

// Reads with read_committed until done() is true; each batch goes to eachBatch.
async function read(topic, groupId, done, eachBatch) {
  const consumer = kafka.consumer({ groupId, readUncommitted: false, maxWaitTimeInMs: 200, maxBytesPerPartition: 300 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  let failure
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async batch => {
      try { await eachBatch(batch, consumer) } catch (e) { failure = e }
    },
  })
  for (const end = Date.now() + 60_000; !done() && !failure && Date.now() < end;) await pause(50)
  await consumer.disconnect()
  if (failure) throw failure
  assert(done(), 'not within 60 s')
}

const steps = {
  async commit() {
    await (await write('paid', 10)).commit()
  },
  async abort() {
    await (await write('refused', 10)).abort()
  },
  async 'read-process-write'() {
    let first = true, handled = 0
    await read(IN, GROUP, () => handled >= ORDERS, async ({ batch, resolveOffset }, consumer) => {
      if (batch.messages.length === 0 || handled >= ORDERS) return
      const transaction = await main.producer.transaction()
      await send(transaction, batch.partition, ...batch.messages.map(m => m.value.toString().replace('order', first ? 'aborted' : 'shipped')))
      const offset = (BigInt(batch.lastOffset()) + 1n).toString()
      await transaction.sendOffsets({ consumerGroupId: GROUP, topics: [{ topic: IN, partitions: [{ partition: batch.partition, offset }] }] })
      if (first) { // as if something had gone wrong: all of it again
        first = false
        await transaction.abort()
        consumer.seek({ topic: IN, partition: batch.partition, offset: '0' })
        return
      }
      await transaction.commit()
      resolveOffset(batch.lastOffset())
      handled += batch.messages.length
    })
  },
  async 'zombie-is-fenced'() {
    const zombie = await (await producer(TRANSACTIONAL_ID + '-zombie')).transaction()
    await send(zombie, 0, 'zombie')
    const successor = await producer(TRANSACTIONAL_ID + '-zombie')
    const transaction = await successor.transaction()
    let fenced
    try {
      await send(zombie, 1, 'zombie')
      await zombie.commit()
    } catch (e) {
      fenced = e
    }
    assert(fenced, "the zombie's commit succeeded")
    const type = fenced.type || (fenced.cause && fenced.cause.type)
    assert(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH', 'INVALID_TXN_STATE'].includes(type), fenced)
    await send(transaction, 0, 'successor-0')
    await transaction.commit()
  },
  async 'open-at-crash'() {
    const transaction = await write('open', 6)
    const answer = new Promise(resolve => lines.once('line', resolve))
    console.log('crash')
    await answer
    await send(transaction, 0, 'open-6')
    try {
      await transaction.commit()
    } catch (e) {
      // kafkajs does not ask again while the coordinator comes back: a new producer aborts, and does it all again.
      if (!e.retriable) throw e
      main.producer = await producer(TRANSACTIONAL_ID)
      await (await write('open', 7)).commit()
    }
  },
  async 'reads-committed'() {
    const numbered = (word, n) => [...Array(n).keys()].map(i => `${word}-${i}`)
    const want = [...numbered('paid', 10), ...numbered('shipped', ORDERS), 'successor-0', ...numbered('open', 7)].sort()
    const got = []
    await read(OUT, GROUP + '-audit', () => got.length >= want.length, async ({ batch, resolveOffset }) => {
      got.push(...batch.messages.map(m => m.value.toString()))
      resolveOffset(batch.lastOffset())
    })
    assert.deepEqual(got.sort(), want)
  },
}

async function main() {
  main.producer = await producer(TRANSACTIONAL_ID)
  for (const [name, step] of Object.entries(steps)) {
    const start = Date.now()
    try {
      await step()
    } catch (e) {
      console.log(`not ok ${name}: ${String(e).replaceAll('\n', ' ')}`)
      console.error(e)
      process.exit(1)
    }
    console.log(`ok ${name}`)
    console.error(`${name}: ${(Date.now() - start) / 1000} s`)
  }
  process.exit(0)
}

main()
