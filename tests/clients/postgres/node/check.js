// Node's pg: text results, one protocol per kind of query, portals read in pieces. node check.js HOST PORT USER PASSWORD DATABASE TLS SLOW LARGE ROWS
"use strict";
const assert = require("node:assert");
const { Client, Pool, types } = require("pg");
const Cursor = require("pg-cursor");

const [host, port, user, password, database, tls, slow, large, rows] = process.argv.slice(2);
const ssl = tls === "on" ? { rejectUnauthorized: false } : false;
const login = { host, port: Number(port), user, password: password || undefined, database, ssl };
let failed = 0;

async function check(name, body, more = {}) {
  const started = Date.now();
  const client = new Client({ ...login, ...more });
  client.on("error", () => {}); // what ends a connection fails its query too
  try {
    await client.connect();
    await body(client);
    console.log(`ok      node: ${name} (${((Date.now() - started) / 1000).toFixed(2)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  node: ${name}: ${error.message.split("\n").slice(0, 4).join(" ")}`);
  } finally {
    await client.end().catch(() => {});
  }
}

async function refused(promise, code) {
  await assert.rejects(promise, (error) => error.code === code || assert.fail(`${error.code} ${error.message}, expected ${code}`));
}

async function main() {
  await check("types and parameters", async (c) => {
    const sql = "SELECT CAST(7 AS SMALLINT) AS a, CAST(9007199254740993 AS BIGINT) AS b, CAST(0.1 AS DOUBLE PRECISION) AS c, (1 = 1) AS d, ARRAY['a','b,c'] AS e, CAST(NULL AS TEXT) AS f, CAST('1.5000' AS NUMERIC(18,4)) AS g";
    const found = (await c.query(sql)).rows[0];
    assert.deepStrictEqual(found, { a: 7, b: "9007199254740993", c: 0.1, d: true, e: ["a", "b,c"], f: null, g: "1.5000" });
    const count = "SELECT count(*) AS n FROM sales_event WHERE business_date >= $1 AND channel_id = ANY($2) AND net_rc > $3";
    const values = ["2026-01-01", ["web"], 0.5];
    const first = (await c.query(count, values)).rows[0].n;
    assert(Number(first) > 0, "no rows");
    for (let run = 0; run < 3; run += 1) {
      const again = await c.query({ name: "count", text: count, values });
      assert.strictEqual(again.rows[0].n, first);
    }
    assert.strictEqual((await c.query({ text: "SELECT CAST(1 AS INTEGER) AS x", values: [], binary: true })).rows[0].x, 1);
    assert.strictEqual(types.builtins.NUMERIC, (await c.query("SELECT net_rc FROM sales_event LIMIT 1")).fields[0].dataTypeID);
  });
  await check("errors, transactions, several statements", async (c) => {
    await refused(c.query("SELECT * FROM nothing_here"), "42P01");
    await refused(c.query("SELECT * FROM nothing_here WHERE 1 = $1", [1]), "42P01");
    await c.query("BEGIN");
    await c.query("SELECT 1");
    assert.strictEqual((await c.query("COMMIT")).command, "COMMIT");
    const both = await c.query("SELECT CAST(1 AS INTEGER) AS a; SELECT CAST(2 AS INTEGER) AS b");
    assert.deepStrictEqual(both.map((r) => r.rows[0]), [{ a: 1 }, { b: 2 }]);
    assert.strictEqual((await c.query("")).rows.length, 0);
  });
  await check("a portal in pieces", async (c) => {
    const cursor = c.query(new Cursor(large, []));
    let n = 0;
    for (let part = await cursor.read(20_000); part.length; part = await cursor.read(20_000)) n += part.length;
    assert.strictEqual(n, Number(rows));
    const left = c.query(new Cursor(large, []));
    assert.strictEqual((await left.read(5)).length, 5);
    await left.close();
    assert.strictEqual((await c.query("SELECT 1 AS x")).rows[0].x, "1");
  });
  await check("a time limit", (c) => refused(c.query(slow), "57014"), { statement_timeout: 500 });
  await check("a report", async (c) => {
    const report = await c.query("SELECT * FROM report('sales-by-region', 'from=2025-01-01')");
    assert(report.rows.length > 0 && "net_sales" in report.rows[0], "no rows");
  });
  await check("a pool", async () => {
    const pool = new Pool({ ...login, max: 4 });
    const found = await Promise.all(Array.from({ length: 12 }, (_, i) => pool.query("SELECT CAST($1 AS INTEGER) AS i", [i])));
    await pool.end();
    assert.deepStrictEqual(found.map((r) => r.rows[0].i), Array.from({ length: 12 }, (_, i) => i));
  });
  process.exit(failed ? 1 : 0);
}

main();
