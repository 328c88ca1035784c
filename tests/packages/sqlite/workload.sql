-- SPDX-License-Identifier: MIT
-- 100,000 rows made by arithmetic, and what databases do with them. Read by the shell, so that
-- dot commands are part of the test; the database file itself is compared as well.
.bail off
.echo off
.headers on
.mode list
SELECT compile_options FROM pragma_compile_options WHERE compile_options NOT LIKE 'COMPILER=%';
SELECT sqlite_version(), sqlite_source_id();
PRAGMA page_size = 4096;
PRAGMA journal_mode = WAL;
PRAGMA foreign_keys = ON;

CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, city TEXT, credit REAL DEFAULT 0.0);
CREATE TABLE item(id INTEGER PRIMARY KEY, label TEXT COLLATE NOCASE, price REAL CHECK (price > 0), data BLOB);
CREATE TABLE sale(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer INTEGER NOT NULL REFERENCES customer(id) ON DELETE CASCADE,
  item INTEGER NOT NULL REFERENCES item(id),
  amount INTEGER NOT NULL,
  day INTEGER NOT NULL,
  total REAL GENERATED ALWAYS AS (amount * 1.5) VIRTUAL);

BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
INSERT INTO customer(id, name, city, credit)
  SELECT i, printf('customer %04d', i * 7919 % 1009), substr('BerlinParisTokyoLima  Oslo  ', 1 + 6 * (i % 4), 6), i / 7.0 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
INSERT INTO item SELECT i, char(65 + i % 26) || lower(hex(i * 2654435761 % 65536)), 1 + i * 37 % 100 / 4.0,
  CASE WHEN i % 10 = 0 THEN zeroblob(i) END FROM n;
WITH RECURSIVE n(i, r) AS (SELECT 1, 42 UNION ALL SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 100000)
INSERT INTO sale(customer, item, amount, day) SELECT 1 + (r >> 8) % 1000, 1 + (r >> 4) % 500, 1 + r % 9, i / 274 FROM n;
COMMIT;
SELECT count(*), sum(amount), min(day), max(day), avg(total), count(DISTINCT customer) FROM sale;

CREATE INDEX sale_customer ON sale(customer, day);
CREATE INDEX sale_item ON sale(item) WHERE amount > 4;
CREATE INDEX customer_city ON customer(lower(city), credit DESC);
ANALYZE;
EXPLAIN QUERY PLAN SELECT * FROM sale JOIN customer ON customer.id = sale.customer WHERE customer.id = 17 ORDER BY day;
EXPLAIN QUERY PLAN SELECT count(*) FROM sale WHERE item = 3 AND amount > 4;

.mode column
SELECT city, count(*) AS n, round(sum(s.amount * i.price), 3) AS turnover
  FROM sale s JOIN customer c ON c.id = s.customer JOIN item i ON i.id = s.item
  GROUP BY city HAVING n > 10 ORDER BY turnover DESC;
SELECT c.name, total(s.amount) AS t FROM customer c LEFT JOIN sale s ON s.customer = c.id AND s.day = 5
  GROUP BY c.id ORDER BY t DESC, c.name LIMIT 5 OFFSET 2;
SELECT label, price FROM item WHERE label LIKE 'b%' AND label GLOB '*3*' ORDER BY label, price DESC;
.mode box
SELECT day, n, sum(n) OVER w AS running, rank() OVER (ORDER BY n DESC) AS place, lag(n, 1, 0) OVER w AS before,
  round(avg(n) OVER (ORDER BY day ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING), 2) AS smooth, ntile(4) OVER w AS quarter,
  group_concat(n % 10, '') OVER (ORDER BY day GROUPS 3 PRECEDING) AS digits
  FROM (SELECT day, count(*) AS n FROM sale WHERE customer < 300 GROUP BY day) WINDOW w AS (ORDER BY day) LIMIT 12;
.mode markdown
WITH best AS (SELECT customer, sum(amount) AS a, row_number() OVER (PARTITION BY customer % 10 ORDER BY sum(amount) DESC) AS r
  FROM sale GROUP BY customer)
SELECT name, a FROM best JOIN customer ON id = customer WHERE r = 1 ORDER BY a;
.mode json
SELECT id, amount, NULL AS absent, 1e100 AS big, 'quote " and é' AS text FROM sale WHERE id % 33333 = 0;
.mode quote
SELECT x'0123', 'it''s', 1.0, -1, NULL, 9223372036854775807, 1e400, 0.1 + 0.2, CAST('12abc' AS INTEGER), 5 / 2, 5 % -3;
.mode insert copied
SELECT id, label, price, data FROM item WHERE id < 12;
.mode csv
SELECT id, label || ',"x"', price FROM item LIMIT 3;
.mode list
.separator |
.headers off

-- Recursion, sets, dates, text, numbers, JSON.
WITH RECURSIVE fib(a, b) AS (VALUES (0, 1) UNION ALL SELECT b, a + b FROM fib LIMIT 30) SELECT group_concat(a) FROM fib;
WITH RECURSIVE
  x(x) AS (SELECT -2.0 UNION ALL SELECT x + 0.125 FROM x WHERE x < 0.5),
  y(y) AS (SELECT -1.0 UNION ALL SELECT y + 0.25 FROM y WHERE y < 1.0),
  m(n, cx, cy, a, b) AS (SELECT 0, x, y, 0.0, 0.0 FROM x, y UNION ALL
    SELECT n + 1, cx, cy, a * a - b * b + cx, 2 * a * b + cy FROM m WHERE a * a + b * b < 4 AND n < 20)
SELECT group_concat(c, '') FROM (SELECT cy, substr(' .+*#', 1 + max(n) / 5, 1) AS c FROM m GROUP BY cx, cy ORDER BY cx) GROUP BY cy;
SELECT id FROM customer WHERE id < 10 INTERSECT SELECT customer FROM sale WHERE day < 3 EXCEPT SELECT 5 ORDER BY 1 DESC;
SELECT date('2000-02-28', '+1 day', 'weekday 1'), julianday('2024-06-01 12:00'), strftime('%s %j %W %f', 1e9, 'unixepoch'),
  datetime(0, 'unixepoch', 'localtime');
SELECT upper('abc'), trim('  x '), replace('banana', 'an', 'AN'), instr('hello', 'll'), hex('é'), unicode('€'), soundex('Robert'),
  quote('a''b'), substr('hello', -3, 2), length(x'00ff'), like('a%', 'ABC'), glob('a*', 'abc'), printf('%5.2f|%-5s|%05d|%,d', 3.14159, 'ab', 42, 1234567);
SELECT round(sqrt(2), 12), round(pow(2, 0.5), 12), ln(1), log(100), pi(), floor(-1.5), ceil(-1.5), round(sin(1), 12), mod(10, 3), trunc(-2.7), sign(-4);
SELECT json_extract('{"a":[1,2,{"b":null}]}', '$.a[2]'), json('[1, 2.5, "x"]'), json_group_array(id) FROM (SELECT id FROM item LIMIT 5);
SELECT key, value, type, fullkey FROM json_tree('{"x":{"y":[true,"z"]},"n":1.50}');
SELECT '{"a":{"b":5}}' ->> '$.a.b', json_patch('{"a":1}', '{"b":2}'), json_valid('{bad');
SELECT sum(value), max(value) FROM generate_series(1, 100000, 3);
SELECT typeof(1), typeof(1.0), typeof('1'), typeof(x'01'), typeof(NULL), 1 = '1', 1 < 'a', x'41' = 'A', NULL IS NULL, 9007199254740993 = 9007199254740992.0;
SELECT sqlar_uncompress(sqlar_compress(CAST('text text text text text text text' AS BLOB)), 34), length(sqlar_compress(zeroblob(100000)));
SELECT 'a1b2' REGEXP '^[a-z]\d[a-z]\d$', decimal_add('0.1', '0.2'), hex(sha3('abc', 256));

-- Triggers, upserts, constraints, savepoints; errors go on.
CREATE TABLE journal(what TEXT, old REAL, new REAL);
CREATE TRIGGER credit_changed AFTER UPDATE OF credit ON customer WHEN new.credit <> old.credit
  BEGIN INSERT INTO journal VALUES (new.name, old.credit, new.credit); END;
UPDATE customer SET credit = credit + 100 WHERE id BETWEEN 10 AND 14 RETURNING id, credit;
INSERT INTO customer(id, name) VALUES (10, 'x') ON CONFLICT(id) DO UPDATE SET credit = -1 WHERE id = 10;
SELECT * FROM journal;
INSERT INTO customer(id, name) VALUES (1, 'again');
INSERT INTO sale(customer, item, amount, day) VALUES (99999, 1, 1, 1);
INSERT INTO item VALUES (1000, 'free', 0, NULL);
INSERT INTO sale(customer) VALUES (1);
SELECT * FROM nowhere;
SELECT missing FROM sale;
SELEKT 1;
BEGIN; SAVEPOINT a; DELETE FROM sale WHERE id % 2; SELECT count(*) FROM sale;
SAVEPOINT b; DELETE FROM customer WHERE id < 100; SELECT count(*) FROM sale; ROLLBACK TO b; SELECT count(*) FROM sale;
RELEASE a; ROLLBACK; SELECT count(*) FROM sale;
DELETE FROM sale WHERE day = 100 ORDER BY id LIMIT 10;
UPDATE sale SET amount = amount + 1 WHERE id IN (SELECT id FROM sale WHERE customer % 50 = 0);
SELECT changes(), total_changes();

-- Virtual tables: full text, r-tree.
CREATE VIRTUAL TABLE docs USING fts5(title, body, tokenize = 'porter');
INSERT INTO docs SELECT name, 'bought ' || (SELECT group_concat(label, ' ') FROM item WHERE item.id % 50 = customer.id % 50) || ' running runs' FROM customer;
SELECT rowid, title, snippet(docs, 1, '[', ']', '...', 5) FROM docs WHERE docs MATCH 'run AND title : "customer 0100"' ORDER BY rank;
SELECT count(*) FROM docs WHERE docs MATCH 'run*';
CREATE VIRTUAL TABLE old_docs USING fts4(body);
INSERT INTO old_docs SELECT label || ' ' || price FROM item;
SELECT count(*), group_concat(docid) FROM old_docs WHERE old_docs MATCH 'b* OR a3*';
CREATE VIRTUAL TABLE place USING rtree(id, x0, x1, y0, y1);
INSERT INTO place SELECT id, id % 37, id % 37 + 2, id % 41, id % 41 + 2 FROM customer;
SELECT count(*), sum(id) FROM place WHERE x0 > 10 AND x1 < 20 AND y0 > 5 AND y1 < 15;

CREATE VIEW busy AS SELECT customer, count(*) AS n FROM sale GROUP BY customer HAVING n > 120;
SELECT count(*), max(n) FROM busy;
ALTER TABLE item RENAME COLUMN label TO title;
ALTER TABLE item ADD COLUMN stock INTEGER DEFAULT 7;
ALTER TABLE item DROP COLUMN data;
SELECT sum(stock), count(title) FROM item;
ATTACH 'other.db' AS other;
CREATE TABLE other.copy AS SELECT * FROM sale WHERE id <= 5000;
SELECT count(*), sum(total) FROM other.copy;
DETACH other;
.tables
.indexes
.schema sale
.schema item
PRAGMA integrity_check;
PRAGMA foreign_key_check;
PRAGMA wal_checkpoint(TRUNCATE);
.sha3sum
.once dump.sql
.dump
.open copied.db
.read dump.sql
.sha3sum
SELECT count(*), sum(amount) FROM sale;
DELETE FROM sale WHERE id > 50000;
VACUUM;
PRAGMA page_count;
PRAGMA quick_check;
.dbinfo
.mode csv
.headers on
.once items.csv
SELECT id, title, price FROM item WHERE id <= 50;
.import items.csv imported
SELECT count(*), max(title), typeof(price) FROM imported;
.import nosuch.csv imported
.print done
