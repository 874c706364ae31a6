"""Sample data, step 1 for what stands beside the orders: reductions of lines, representatives and plans, promotions and marketing, as clean
tables in DuckDB. Follows sample-data/README.md. Money in ten-thousandths of a pound where the name ends in _rc.
"""


def stage_plans(con, text):
    """Tables: reduction, sales_rep, assignment, target, activity, opportunity, promotion, campaign, spend, touch."""
    newest = lambda key: f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY rev::INT DESC) = 1"
    pounds = lambda amount, currency="currency": f"CASE {currency} WHEN 'EUR' THEN half_up({amount} * r.eur, 1000000) ELSE {amount} END"
    con.execute(f"""
-- What was taken off a line and why; by the rate of the order's day, each amount by itself. `system` as in `line`.
CREATE TABLE reduction AS
SELECT CASE system WHEN 'shop_pos' THEN 'pos' WHEN 'shop_web' THEN 'web' ELSE system END AS system, order_id, line::INT AS line_no, seq, promotion,
    coupon, type, funded_by, {pounds("units(amount, 4)")} AS amount_rc, units(amount, 4) AS amount, day
FROM (SELECT *, (applied_at::TIMESTAMP - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE AS day FROM {text('discounts/*.csv', ',')}
      {newest('system, order_id, line, seq')}) d
JOIN rate r USING (day);

CREATE TABLE sales_rep AS SELECT sales_rep_id, name AS name_masked, team FROM {text('dimensions/sales_reps.csv', ',')}
    QUALIFY row_number() OVER (PARTITION BY sales_rep_id ORDER BY coalesce(valid_from, '') DESC) = 1;
-- share in tenths; until: the next set's first day.
CREATE TABLE assignment AS
WITH said AS (SELECT kind, id, rep, units(share, 1)::INT AS share, since::DATE AS since FROM {text('people/assignments.csv', ',')} {newest('kind, id, since, rep')}),
     sets AS (SELECT kind, id, since, lead(since) OVER (PARTITION BY kind, id ORDER BY since) AS until FROM (SELECT DISTINCT kind, id, since FROM said))
SELECT said.*, until FROM said JOIN sets USING (kind, id, since);

-- Every version of the plan; value in ten-thousandths.
CREATE TABLE target AS
SELECT plan, grain, start::DATE AS start, "end"::DATE AS stop, kind, member, metric, version::INT AS version, units(value, 4) AS value,
    approved_at IS NOT NULL AS approved
FROM {text('people/targets_*.csv', ',')} {newest('plan, start, grain, kind, member, metric, version')};

CREATE TABLE activity AS
SELECT id, rep, local_day(coalesce(started, planned), 'Europe/London') AS day, started IS NOT NULL AS done
FROM {text('people/activities_*.csv', ',')} {newest('id')};

-- As they stand: the last step of each.
CREATE TABLE opportunity AS
SELECT id, owner, status, day, {pounds("units(amount, 4)")} AS amount_rc
FROM (SELECT *, local_day(coalesce(closed, entered), 'Europe/London') AS day FROM {text('people/opportunities_*.csv', ',')} {newest('id')}) o
JOIN rate r USING (day);

CREATE TABLE promotion AS SELECT promotion_id, name AS promotion_name, type AS promotion_type, funded_by, units(budget, 4) AS budget,
    units(fixed_cost, 4) AS fixed_cost FROM {text('dimensions/promotions.csv', ',')};
CREATE TABLE campaign AS SELECT campaign_id, name AS campaign_name, means FROM {text('dimensions/campaigns.csv', ',')};
CREATE TABLE spend AS
SELECT day, campaign, {pounds("units(spend, 4)")} AS spend_rc, impressions::BIGINT AS impressions, clicks::BIGINT AS clicks
FROM (SELECT * REPLACE (day::DATE AS day) FROM {text('marketing/spend_*.csv', ',')} {newest('day, campaign, platform')}) s JOIN rate r USING (day);
CREATE TABLE touch AS
SELECT DISTINCT id, type, "at"::TIMESTAMPTZ AS happened, local_day("at", 'Europe/London') AS day, customer AS customer_key, campaign, means, promotion, coupon
FROM {text('marketing/touches_*.csv', ',')};
""")
    # When each order became a sale, else was made: what a contact must lie before.
    con.execute("""
CREATE TABLE moment AS
SELECT 'pos' AS system, ticket AS order_id, min(timezone(zone, sold_at::TIMESTAMP)) AS happened FROM pos_row GROUP BY ALL
UNION ALL SELECT 'web', id, coalesce(confirmed, placed)::TIMESTAMPTZ FROM web_order
UNION ALL SELECT 'market_eu', "Bestellnummer", min(timezone('Europe/Berlin', strptime("Bestellt", '%d.%m.%Y %H:%M:%S'))) FROM eu_row GROUP BY ALL
UNION ALL SELECT 'market_cn', "订单编号", min(timezone('Asia/Shanghai', "下单时间"::TIMESTAMP)) FROM cn_row GROUP BY ALL
UNION ALL SELECT 'erp', doc_no, min(coalesce(confirmed_at, created_at)::TIMESTAMPTZ) FROM erp_row WHERE record_type = 'L' GROUP BY ALL;
""")
