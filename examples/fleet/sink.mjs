#!/usr/bin/env node
/**
 * Writes the events of a fleet from RabbitMQ's queue `event` into PostgreSQL (events.sql). A message is
 * acknowledged when its row is committed, and a row exists once: nothing is lost, nothing is there twice.
 * Run as many side by side as are needed; the queue gives each message to one of them.
 *
 *   npm install amqplib pg
 *   SINK_BROKERS=amqps://sink:PASSWORD@node1,amqps://sink:PASSWORD@node2 SINK_CA=ca.crt \
 *   PGHOST=… PGDATABASE=fleet PGUSER=sink node sink.mjs
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import amqp from 'amqplib';
import pg from 'pg';

const BATCH = 500;
const RETRY_MS = 1000;
const brokers = (process.env.SINK_BROKERS ?? 'amqp://localhost').split(',');
const tls = process.env.SINK_CA ? { ca: [readFileSync(process.env.SINK_CA)] } : {};
const database = new pg.Pool({ max: 1 });
// A connection that breaks while nobody uses it; the next query gets another one.
database.on('error', (error) => console.error(`database: ${error.message}`));

/** A row for store_events; null for what is no JSON. */
function rowOf({ content, fields }) {
  try {
    return { node: fields.routingKey.split('.')[1], payload: JSON.parse(content.toString()) };
  } catch {
    return null;
  }
}

/** What PostgreSQL will never take: data exceptions and violated constraints (SQLSTATE 22 and 23). */
function isForGood(error) {
  return /^2[23]/.test(error.code ?? '');
}

/** Writes messages and acknowledges them; waits as long as the database is away. */
async function write(messages, session) {
  const rows = messages.map(rowOf);
  try {
    if (rows.includes(null)) throw Object.assign(new Error('no JSON'), { code: '22' });
    await database.query('SELECT store_events($1)', [JSON.stringify(rows)]);
    for (const message of messages) session.channel.ack(message);
  } catch (error) {
    if (!session.open) return;
    if (!isForGood(error)) {
      console.error(`database: ${error.message}`);
      await delay(RETRY_MS);
      if (session.open) await write(messages, session);
    } else if (messages.length > 1) {
      for (const message of messages) await write([message], session);
    } else {
      console.error(`${messages[0].fields.routingKey}: ${error.message}; see event-rejected`);
      session.channel.nack(messages[0], false, false);
    }
  }
}

/** Works for one node of the cluster until that ends. */
async function work(broker) {
  const connection = await amqp.connect(`${broker}?heartbeat=10`, { timeout: 4000, ...tls });
  const closed = once(connection, 'close').catch(() => {});
  connection.on('error', (error) => console.error(`broker: ${error.message}`));
  const channel = await connection.createChannel();
  channel.on('error', (error) => console.error(`broker: ${error.message}`));
  const session = { channel, open: true };
  const waiting = [];
  let busy = false;
  async function pump() {
    if (busy) return;
    busy = true;
    while (session.open && waiting.length > 0) await write(waiting.splice(0, BATCH), session);
    busy = false;
  }
  await channel.prefetch(2 * BATCH);
  await channel.consume('event', (message) => {
    // Null: the queue has lost its leader, or was deleted.
    if (message === null) return void connection.close().catch(() => {});
    waiting.push(message);
    void pump();
  });
  console.error(`working for ${new URL(broker).host}`);
  channel.once('close', () => connection.close().catch(() => {}));
  await closed;
  session.open = false;
}

for (let turn = 0; ; turn++) {
  const broker = brokers[turn % brokers.length];
  await work(broker).catch((error) => console.error(`${new URL(broker).host}: ${error.message}`));
  await delay(RETRY_MS);
}
