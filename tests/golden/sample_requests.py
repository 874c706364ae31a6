"""What the golden cases of the reports about products, places, customers, returns and times ask. Each has a plain case, one of days without
data (`never`), and the traps (D…, domain.md section 5) that its comments name.
"""

QUARTER = {"from": "2025-07-01", "to": "2025-10-01"}
BORDER = {"from": "2024-12-30", "to": "2025-01-03"}
NEVER = {"from": "2020-01-01", "to": "2020-02-01"}
MARCH = {"from": "2025-03-01", "to": "2025-04-01"}  # the month of the tills' unknown keys
POLICIES = {"recognition_basis": "paid", "cancel_policy": "sale_then_reversal", "return_basis": "sale_date"}

CASES = {
    "sales-by-category": {
        "quarter": QUARTER,
        "never": NEVER,
        "second-level": QUARTER | {"category_level": "2"},  # an order of two categories counts in both (D03)
        "deepest": MARCH | {"category_level": "5"},  # the tree has three levels; unknown articles stay, as UNK (D25)
        "below-kitchen": QUARTER | {"where.category": "KIT", "category_level": "3", "order_by": "-net_sales,category_id", "limit": "5"},
        "months": QUARTER | {"grain": "month", "where.channel": "web,app"},
        "with-zero": BORDER | {"include_zero": "true", "where.brand": "Veldt", "where.location": "S001", "category_level": "2"},
        "totals": QUARTER | {"totals": "true"},  # ratios and orders of the total are not added up (D01, D03)
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
        "policies": QUARTER | POLICIES,
        # Ten articles move to another category in the middle of the month (D40).
        "as-was": {"from": "2025-10-01", "to": "2025-11-01", "category_level": "2", "attribute_basis": "as_was"},
        "as-was-weeks-of-one": {"from": "2025-10-06", "to": "2025-11-03", "grain": "week", "category_level": "2", "attribute_basis": "as_was",
                                "where.category": "KIT"},
    },
    "sales-by-brand": {
        "quarter": QUARTER,
        "never": NEVER,
        "unknown-and-none": MARCH | {"where.product": "UNK,N/A"},
        "months": QUARTER | {"grain": "month", "where.channel": "tel"},
        "with-zero": BORDER | {"include_zero": "true", "where.location": "S002"},
        "totals": QUARTER | {"totals": "true"},
        "best": QUARTER | {"order_by": "-gross_profit,brand", "limit": "3"},
        "first-and-others": QUARTER | {"top_n": "3"},  # the others are counted anew, not added up (D02, D03)
        "fewest-orders": QUARTER | {"top_n": "2", "order_by": "orders,brand", "totals": "true", "where.channel": "web,app"},
        "previous-period": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_period", "where.category": "GAR"},
        "policies": QUARTER | POLICIES,
        # The slicer takes articles for the days on which they were in the category (D40).
        "of-what-was": {"from": "2025-10-01", "to": "2025-11-01", "attribute_basis": "as_was", "where.category": "KIT-2"},
    },
    "channel-mix-over-time": {
        "months": QUARTER,
        "never": NEVER,
        "types": {"from": "2024-07-01", "to": "2026-07-01", "grain": "quarter", "level": "type"},
        "empty-days": {"from": "2025-07-01", "to": "2025-07-08", "grain": "day", "where.product": "001077"},  # 0 where nothing was (D09)
        "no-empty-days": {"from": "2025-07-01", "to": "2025-07-08", "grain": "day", "where.product": "001077", "include_zero": "false"},
        "year-border": {"from": "2024-12-18", "to": "2025-01-15", "grain": "week"},  # weeks of two years (D10)
        "unknown": {"from": "2025-03-01", "to": "2025-06-01", "where.channel": "UNK,N/A,pos"},
        "previous-year": {"from": "2025-08-01", "to": "2025-10-01", "compare": "previous_year"},
        "totals": QUARTER | {"totals": "true"},
    },
    "store-ranking": {
        "quarter": QUARTER,
        "never": NEVER,
        "all-places": MARCH | {"peers": "all"},  # a place that is not known is ranked, too (D25)
        "countries": QUARTER | {"peers": "country", "order_by": "-percentile,location_id", "limit": "6"},
        "with-zero": BORDER | {"include_zero": "true", "peers": "location_type", "where.brand": "Calder", "where.region": "GB"},  # equal ones by id (D23)
        "one-region": QUARTER | {"where.region": "Scotland"},
        "totals": QUARTER | {"totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
        "policies": QUARTER | POLICIES,
        "months": {"from": "2025-07-16", "to": "2025-09-01", "grain": "month", "where.region": "GB"},  # ranked in each month, the first one is cut
    },
    "product-margin": {
        "quarter": QUARTER | {"order_by": "-gross_profit,product_id", "limit": "15"},
        "never": NEVER,
        "without-cost": MARCH | {"where.product": "UNK,N/A,CN0001,001077"},  # no cost known: no margin, not 0 (D27)
        "covered": MARCH | {"min_cost_coverage": "0.9", "where.channel": "market_cn,web", "order_by": "-gross_margin_pct,product_id", "limit": "12"},
        "garden": QUARTER | {"where.category": "GAR"},
        "totals": QUARTER | {"totals": "true", "order_by": "-gross_profit,product_id", "limit": "3"},
        "previous-year": {"from": "2025-08-01", "to": "2025-08-08", "compare": "previous_year", "where.brand": "Wren"},
        "policies": QUARTER | POLICIES | {"where.brand": "Kestrel"},
        "months": QUARTER | {"grain": "month", "where.brand": "Wren"},  # ranks and shares are of the month
        "with-zero": BORDER | {"include_zero": "true", "where.brand": "Harrow Mill", "where.channel": "pos"},  # nothing sold: no cost, no profit
    },
    "product-top-bottom": {
        "quarter": QUARTER,
        "never": NEVER,
        "profit": MARCH | {"metric": "gross_profit", "n": "5", "where.channel": "market_cn"},  # what has no known cost is not ranked (D26)
        "ties": {"from": "2025-07-01", "to": "2025-07-02", "metric": "net_units", "n": "15", "where.channel": "pos"},  # equal ones by id (D23)
        "few": BORDER | {"where.brand": "Calder", "where.channel": "app", "n": "8"},
        "most-returned": QUARTER | {"metric": "returns", "n": "4", "return_basis": "sale_date"},
        "months": QUARTER | {"grain": "month", "n": "3"},
        "with-zero": BORDER | {"include_zero": "true", "where.brand": "Calder", "where.channel": "app", "n": "8"},
    },
    "abc-classification": {
        "quarter": QUARTER | {"where.category": "KIT"},
        "never": NEVER | {"where.brand": "Wren"},
        "profit": MARCH | {"metric": "gross_profit", "where.channel": "market_cn", "include_zero": "false"},
        "units-one-day": {"from": "2025-07-02", "to": "2025-07-03", "metric": "net_units", "where.brand": "Kestrel"},  # N and R are not shared out
        "narrow-cuts": QUARTER | {"cut_a": "0.05", "cut_b": "0.3", "where.category": "TOY"},  # the one that crosses the cut is still in
        "returned-more": {"from": "2026-01-01", "to": "2026-01-08", "where.channel": "web", "include_zero": "false"},
    },
    "return-rate-by-product": {
        "quarter": QUARTER | {"order_by": "place", "limit": "15"},
        "never": NEVER,
        "few-units": BORDER | {"min_units": "0", "where.channel": "web"},  # one of one is not first; more back than sold has no bounds (D50, D69)
        "by-sale-date": QUARTER | {"return_basis": "sale_date", "where.category": "KIT"},  # D15
        "unknown": MARCH | {"min_units": "1", "where.product": "UNK,001077,001084"},
        "totals": QUARTER | {"totals": "true", "min_units": "300"},  # the total is of all, not of those shown (D02)
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year", "where.brand": "Wren"},
        "cancelled-reversed": QUARTER | {"cancel_policy": "sale_then_reversal", "where.brand": "Kestrel"},
        "months": QUARTER | {"grain": "month", "where.category": "KIT", "min_units": "25"},
        "with-zero": BORDER | {"include_zero": "true", "min_units": "0", "where.brand": "Wren", "where.channel": "web"},
    },
    "product-movers": {
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "where.category": "KIT"},
        "never": NEVER,
        "previous-months": {"from": "2025-08-01", "to": "2025-10-01", "against": "previous_period", "level": "brand"},  # whole months of other lengths
        "previous-days": {"from": "2025-08-04", "to": "2025-08-11", "against": "previous_period", "level": "category"},
        "new-and-lost": {"from": "2024-12-30", "to": "2025-01-03", "against": "previous_period", "where.channel": "market_cn"},  # no growth from 0 (D28)
        "large-base": {"from": "2025-08-01", "to": "2025-09-01", "min_base": "1000", "order_by": "-contribution,item_id", "limit": "10"},
        "not-over": {"from": "2026-06-01", "to": "2026-08-01", "level": "category"},  # no growth of a cut period (D13)
    },
    "region-growth-contribution": {
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01"},
        "never": NEVER,
        "countries": {"from": "2025-07-01", "to": "2025-10-01", "region_level": "1"},
        "shipped-to": {"from": "2025-07-01", "to": "2025-10-01", "region_basis": "ship"},  # D42
        "unknown": MARCH | {"against": "previous_period", "where.location": "UNK,S001,S036"},
        "totals": {"from": "2025-08-01", "to": "2025-09-01", "totals": "true"},
        "not-over": {"from": "2026-06-01", "to": "2026-08-01"},
    },
    "return-lag": {
        "quarter": QUARTER,
        "never": NEVER,
        "never-shown": NEVER | {"include_zero": "false"},
        "months": {"from": "2025-01-01", "to": "2025-07-01", "grain": "month", "include_zero": "false"},
        "web": QUARTER | {"where.channel": "web"},
        "no-sale": {"from": "2025-01-01", "to": "2026-01-01", "where.channel": "UNK,N/A"},  # no lag of 0 for what has no sale
        "totals": {"from": "2025-01-01", "to": "2026-01-01", "totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
    },
    "return-reasons": {
        "quarter": QUARTER,
        "never": NEVER,
        "channels": QUARTER | {"level": "channel"},
        "categories": QUARTER | {"level": "category", "where.channel": "web", "return_basis": "sale_date"},  # D15
        "articles": {"from": "2025-07-01", "to": "2025-07-08", "level": "product"},
        "months": QUARTER | {"grain": "month", "where.return_channel": "pos"},
        "cancelled-reversed": QUARTER | {"cancel_policy": "sale_then_reversal"},  # a reversal is no return of goods (D18)
        "totals": QUARTER | {"level": "channel", "totals": "true"},
        "previous-period": QUARTER | {"compare": "previous_period"},
        "with-zero": BORDER | {"grain": "day", "level": "channel", "include_zero": "true", "where.channel": "web,live"},
    },
    "sales-weekday-hour": {
        "quarter": QUARTER,
        "never": NEVER,
        "night-shops": {"from": "2025-03-24", "to": "2025-04-07", "include_zero": "false", "where.channel": "pos"},  # a night of 23 hours, a day that ends at 4 (D12)
        "not-over": {"from": "2026-06-22", "to": "2026-07-06", "where.channel": "web", "include_zero": "false"},  # days to come are no days without sales (D13)
        "three-days": BORDER | {"where.channel": "market_cn"},
        "busiest": QUARTER | {"order_by": "-orders,weekday,hour", "limit": "10"},
        "totals": QUARTER | {"totals": "true", "include_zero": "false", "where.location": "S001"},
        "previous-year": {"from": "2025-07-07", "to": "2025-07-21", "compare": "previous_year_aligned", "include_zero": "false", "where.channel": "app"},
    },
    "new-vs-returning": {
        "quarter": QUARTER,
        "never": NEVER,
        "all-time": {"from": "2024-07-01", "to": "2026-07-01", "grain": "all"},
        "one-shop": {"from": "2025-07-01", "to": "2025-09-01", "where.location": "S001"},  # known elsewhere before: not new (D44)
        "weeks": {"from": "2025-01-06", "to": "2025-02-03", "grain": "week", "where.channel": "web,app"},
        "first-days": {"from": "2024-07-01", "to": "2024-07-08", "grain": "day", "include_zero": "false"},  # several orders on the first day (D45)
        "cut-month": {"from": "2025-07-15", "to": "2025-08-10"},  # new in the month, also before the first asked day
        "totals": QUARTER | {"totals": "true"},  # customers do not add up over months (D03)
        "previous-year": {"from": "2025-08-01", "to": "2025-10-01", "compare": "previous_year"},
        "policies": QUARTER | POLICIES,
    },
    "top-customers": {
        "quarter": QUARTER | {"n": "25"},
        "never": NEVER,
        "shop": QUARTER | {"where.location": "S001", "n": "12"},
        "members": QUARTER | {"where.segment": "gold", "n": "12"},
        "few": BORDER | {"where.channel": "tel", "n": "1000"},
        "unknown": MARCH | {"where.segment": "UNK,gold", "n": "10"},
        "policies": QUARTER | POLICIES | {"n": "10"},
        "least": {"from": "2025-07-01", "to": "2025-07-03", "where.channel": "web", "order_by": "net_sales,customer_key", "limit": "8"},
        "months": QUARTER | {"grain": "month", "n": "6", "where.channel": "web,app"},
    },
    "inactive-customers": {
        "half-a-year": {"min_orders": "12"},
        "never": {"as_of": "2024-01-01"},
        "as-of-2025": {"as_of": "2025-07-01", "days": "200", "min_orders": "3"},  # what comes later is not known (D47)
        "web": {"where.channel": "web", "days": "400", "min_orders": "3"},
        "last-orders": {"as_of": "2025-02-01", "days": "1", "min_orders": "8"},
        "policies": POLICIES | {"min_orders": "8"},
    },
    "basket-size-distribution": {
        "quarter": QUARTER,
        "never": NEVER,
        "units": QUARTER | {"by": "units", "width": "1", "bands": "12"},
        "wide": QUARTER | {"width": "2.5", "bands": "400", "where.channel": "app"},  # edges belong to the band above
        "weighed": {"from": "2025-07-01", "to": "2025-07-08", "by": "units", "width": "0.25", "where.category": "FOO", "bands": "1000"},
        "cancelled": {"from": "2025-07-01", "to": "2025-07-15", "cancel_policy": "include_gross", "where.channel": "tel,b2b"},
        "months": QUARTER | {"grain": "month", "width": "50", "bands": "8", "where.channel": "web,app"},
        "with-zero": BORDER | {"grain": "day", "bands": "12", "width": "25", "include_zero": "true", "where.channel": "tel"},
    },
    "basket-affinity": {
        "quarter": QUARTER | {"level": "category"},  # each pair once, an order once (D56)
        "never": NEVER,
        "brands": QUARTER | {"level": "brand", "min_orders": "20", "min_lift": "1.1"},
        "articles": {"from": "2025-07-01", "to": "2026-01-01", "min_orders": "6", "where.channel": "web,app"},
        "support": QUARTER | {"level": "brand", "min_support": "0.01"},
        "kitchen": {"from": "2025-07-01", "to": "2025-08-01", "where.category": "KIT", "min_orders": "3"},
    },
    "discount-depth": {
        "quarter": QUARTER,
        "never": NEVER,
        "web-months": QUARTER | {"grain": "month", "where.channel": "web"},
        "wholesale": QUARTER | {"where.channel": "b2b,tel"},
        "cancelled-gross": QUARTER | {"cancel_policy": "include_gross", "where.channel": "app,live"},
        "totals": QUARTER | {"totals": "true", "where.category": "KIT"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
        "with-zero": BORDER | {"grain": "day", "include_zero": "true", "where.channel": "b2b"},
    },
    "dq-unmapped-dimensions": {
        "march": MARCH,
        "never": NEVER,
        "all-time": {"from": "2024-07-01", "to": "2026-07-01"},
        "articles": {"from": "2025-01-01", "to": "2025-07-01", "dimension": "product"},
        "shipped-to": {"from": "2025-03-01", "to": "2025-12-01", "region_basis": "ship", "dimension": "region"},
        "one-shop": MARCH | {"where.location": "UNK"},
    },
    "moving-average-trend": {
        "weeks": {"from": "2024-12-20", "to": "2025-01-10"},
        "never": NEVER,
        "month": {"from": "2025-07-01", "to": "2025-08-01", "n": "28", "where.channel": "web"},
        "days-without-sales": {"from": "2025-07-01", "to": "2025-07-15", "n": "3", "where.brand": "Veldt", "where.location": "S002"},  # D09
        "first-days": {"from": "2024-07-01", "to": "2024-07-10"},
        "not-over": {"from": "2026-06-25", "to": "2026-07-05"},  # D13
        "policies": {"from": "2025-07-01", "to": "2025-07-15"} | POLICIES,
    },
    "moving-annual-total": {
        "year": {"from": "2025-07-01", "to": "2026-07-01"},
        "never": NEVER,
        "quarters": {"from": "2025-01-15", "to": "2025-04-10", "months": "3"},
        "not-over": {"from": "2026-05-01", "to": "2026-08-01", "where.channel": "web"},  # D13
        "as-of-june": {"from": "2026-04-01", "to": "2026-07-01", "as_of": "2026-06-15"},
        "holes": {"from": "2025-01-01", "to": "2025-07-01", "months": "4", "where.product": "CN0001", "where.channel": "market_cn"},  # months without sales (D09)
        "policies": {"from": "2025-10-01", "to": "2026-01-01"} | POLICIES,
    },
    "sales-to-date": {
        "month": {"as_of": "2026-06-18"},
        "never": {"as_of": "2020-02-11"},
        "whole-month": {},
        "quarter": {"as_of": "2025-08-14", "to_date_of": "quarter", "against": "previous_period", "where.channel": "web"},
        "year": {"as_of": "2026-02-10", "to_date_of": "year"},
        "shorter-month-before": {"as_of": "2026-04-01", "against": "previous_period"},  # February ends before March
        "week": {"as_of": "2025-07-11", "to_date_of": "week"},  # weekdays meet (D14)
        "retail-period": {"as_of": "2026-03-20", "to_date_of": "fiscal_period", "calendar": "retail_454"},
        "retail-quarter-before": {"as_of": "2026-03-20", "to_date_of": "fiscal_quarter", "calendar": "retail_445", "against": "previous_period"},
        "fiscal-year": {"as_of": "2026-04-20", "to_date_of": "fiscal_year", "calendar": "gregorian_fy_apr", "where.region": "DE"},
        "policies": {"as_of": "2025-09-10"} | POLICIES,
    },
    "cohort-retention": {
        "months": {"from": "2025-07-01", "to": "2026-07-01", "periods": "6"},  # the last diagonal is empty (D46)
        "never": NEVER | {"periods": "2"},
        "quarters": {"from": "2024-07-01", "to": "2026-01-01", "grain": "quarter", "periods": "4"},
        "weeks-web": {"from": "2026-05-20", "to": "2026-07-01", "grain": "week", "periods": "5", "where.channel": "web"},  # new elsewhere is not new here (D44)
        "as-of-spring": {"from": "2025-11-01", "to": "2026-04-01", "periods": "4", "as_of": "2026-03-15"},  # what comes later is not known (D47)
        "policies": {"from": "2025-07-01", "to": "2025-09-01", "periods": "3"} | POLICIES,
        "no-empty-weeks": {"from": "2025-09-01", "to": "2026-01-01", "grain": "week", "periods": "2", "where.location": "S001", "include_zero": "false"},
    },
    "cohort-revenue": {
        "months": {"from": "2025-07-01", "to": "2026-07-01", "periods": "6"},
        "never": NEVER | {"periods": "2"},
        "quarters": {"from": "2024-07-01", "to": "2026-01-01", "grain": "quarter", "periods": "4"},
        "shop": {"from": "2025-07-01", "to": "2025-10-01", "periods": "4", "where.location": "S001"},
        "policies": {"from": "2025-07-01", "to": "2025-09-01", "periods": "3"} | POLICIES,
        "no-empty-weeks": {"from": "2025-09-01", "to": "2026-01-01", "grain": "week", "periods": "2", "where.location": "S001", "include_zero": "false"},
    },
    "cross-channel-customers": {
        "quarter": QUARTER,
        "never": NEVER,
        "types": {"from": "2025-07-01", "to": "2026-07-01", "level": "type"},  # each customer in one row, those of no channel apart
        "online": QUARTER | {"where.channel": "web,app,live"},
        "unknown": MARCH | {"where.channel": "UNK,pos,N/A"},
        "totals": QUARTER | {"totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year", "level": "type"},
        "policies": QUARTER | POLICIES,
        "months": QUARTER | {"grain": "month", "level": "type"},  # whoever buys here in one month and there in the next is in two rows
    },
    "rfm-segments": {
        "today": {},
        "never": {"as_of": "2018-01-01", "compare_as_of": "2018-01-01"},
        "winter": {"as_of": "2026-01-01", "compare_as_of": "2025-07-01"},  # equal values have equal scores (D24); nothing of later days (D47)
        "web": {"where.channel": "web", "window": "180", "as_of": "2025-12-01", "compare_as_of": "2025-11-01"},
        "members": {"where.segment": "gold", "compare_as_of": "2026-01-01"},
        "policies": {"as_of": "2026-02-01", "compare_as_of": "2026-01-01", "window": "90"} | POLICIES,
    },
    "like-for-like-sales": {
        "spring": {"from": "2026-02-01", "to": "2026-06-01"},  # one shop closed in April, one opened since the year before (D65)
        "never": NEVER,
        "places": {"from": "2026-02-01", "to": "2026-05-01", "level": "location"},
        "entire-year": {"from": "2026-01-01", "to": "2026-02-01", "method": "entire_year"},  # opened in December 2024: not yet
        "entire-retail-year": {"from": "2026-02-01", "to": "2026-03-01", "method": "entire_year", "calendar": "retail_454"},
        "first-days-left-out": {"from": "2026-01-01", "to": "2026-03-01", "exclude_days": "45", "where.location": "S025,S001"},
        "one-opened": {"from": "2025-12-01", "to": "2026-01-01", "where.location": "S025,S024"},  # on the day of the border
        "unknown": MARCH | {"where.location": "UNK,N/A,S001"},
        "totals": {"from": "2026-02-01", "to": "2026-06-01", "totals": "true"},
        "not-over": {"from": "2026-06-01", "to": "2026-08-01"},
    },
    "sales-period-comparison": {
        "previous-year": {"from": "2025-07-01", "to": "2025-08-01"},
        "never": NEVER,
        "previous-months": {"from": "2025-02-01", "to": "2025-03-01", "against": "previous_period"},  # months of 28 and 31 days
        "weekdays": {"from": "2025-11-24", "to": "2025-12-08", "against": "previous_year_aligned"},  # D14
        "previous-days": {"from": "2025-07-10", "to": "2025-07-20", "against": "previous_period", "where.channel": "web"},
        "nothing-before": {"from": "2024-07-01", "to": "2024-08-01"},  # no growth from 0 (D28)
        "not-over": {"from": "2026-06-20", "to": "2026-07-10", "against": "previous_period"},  # D13
        "policies": {"from": "2025-07-01", "to": "2025-08-01"} | POLICIES,
        "easter": {"from": "2026-03-23", "to": "2026-04-13", "against": "previous_year_holidays"},  # 5 April; 20 April the year before (D14)
        "spring-festival": {"from": "2026-02-10", "to": "2026-03-10", "against": "previous_year_holidays", "holidays": "chinese"},
    },
    "customer-acquisition": {
        "quarter": QUARTER,
        "never": NEVER,
        "first-week": {"from": "2024-07-01", "to": "2024-07-08", "grain": "all"},  # several orders on the first day: one new customer (D45)
        "web": {"from": "2025-07-01", "to": "2026-01-01", "grain": "quarter", "where.channel": "web"},  # new elsewhere is not new here (D44)
        "totals": QUARTER | {"totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-10-01", "compare": "previous_year"},
        "policies": QUARTER | POLICIES,
        "with-zero": {"from": "2026-06-01", "to": "2026-06-08", "grain": "day", "include_zero": "true", "where.channel": "tel,b2b"},  # spend, nobody new
    },
    "inventory-valuation": {
        "places": {"as_of": "2026-06-30"},
        "never": {"as_of": "2024-01-01"},
        "categories": {"level": "category", "as_of": "2026-02-15"},  # the last month's end, shown as such; nothing added over days (D05)
        "articles": {"level": "product", "where.location": "S004,S005", "as_of": "2026-06-18", "where.category": "KIT"},
        "below-zero": {"level": "product", "order_by": "on_hand_negative,product_id", "limit": "8"},  # apart, not cut to 0 (D50)
        "missed-count": {"where.region": "GB-SCT,GB-LON", "as_of": "2026-06-18"},
        "average": {"cost_method": "average", "level": "category"},
        "first-in-first-out": {"cost_method": "fifo", "as_of": "2026-06-25", "totals": "true"},
        "fifo-articles": {"cost_method": "fifo", "level": "product", "where.location": "S001,W02", "where.category": "KIT"},
        "totals": {"totals": "true"},
    },
    "dead-slow-stock": {
        "articles": {"days": "60"},
        "never": {"as_of": "2024-01-01"},
        "in-shops": {"level": "item", "days": "300", "as_of": "2026-06-20", "where.category": "KIT"},
        "one-shop": {"level": "item", "where.location": "S004", "days": "150"},
        "new-in-stock": {"level": "item", "as_of": "2024-10-01", "days": "80", "where.location": "S001"},  # what came since is not slow
        "policies": {"level": "item", "where.location": "S001,S002", "days": "200", "return_basis": "sale_date", "cancel_policy": "include_gross"},
    },
    "sales-intraday-live": {
        "yesterday": {},
        "never": {"day": "2020-02-03"},
        "not-over": {"day": "2026-06-30", "as_of": "2026-06-30", "where.channel": "web", "weeks": "4"},  # what has not happened is not 0
        "night-shops": {"day": "2025-07-05", "where.channel": "pos"},  # after midnight, before the day ends (D12)
        "first-week": {"day": "2024-07-01", "weeks": "1"},
        "policies": {"day": "2025-09-12"} | POLICIES,
    },
    "order-status-funnel": {
        "last-weeks": {"from": "2026-05-01", "to": "2026-07-01"},
        "never": NEVER,
        "ages": {"from": "2026-01-01", "to": "2026-07-01", "level": "age", "where.channel": "web,app,live"},
        "wholesale": {"from": "2026-04-01", "to": "2026-07-01", "where.channel": "b2b,tel", "level": "age", "as_of": "2026-07-10"},
        "cut-down": QUARTER | {"where.category": "KIT"},
        "shipped-to": {"from": "2026-05-01", "to": "2026-07-01", "region_basis": "ship", "where.region": "DE"},
        "unknown": MARCH | {"where.location": "UNK,S001"},
    },
    "order-cycle-time": {
        "quarter": QUARTER,
        "never": NEVER,
        "channels": {"from": "2026-05-01", "to": "2026-07-01", "level": "channel"},  # open orders are counted, not left out (D68)
        "months": {"from": "2026-01-01", "to": "2026-04-01", "grain": "month", "where.channel": "web,app"},
        "shipped-to": QUARTER | {"region_basis": "ship", "where.region": "DE", "level": "channel"},
        "members": QUARTER | {"where.segment": "gold"},
        "with-zero": {"from": "2026-03-01", "to": "2026-03-03", "grain": "day", "level": "channel", "include_zero": "true", "where.region": "DE"},
    },
    "order-backlog": {
        "today": {},
        "never": {"as_of": "2020-01-01"},
        "places": {"level": "location", "as_of": "2026-06-29"},
        "articles": {"level": "product", "where.channel": "web", "order_by": "-open_units,group_id", "limit": "25"},
        "a-past-day": {"as_of": "2025-12-10"},  # what has left since was open then
        "totals": {"level": "location", "as_of": "2026-06-30", "totals": "true"},
        "cut-down": {"where.category": "KIT", "where.region": "DE", "as_of": "2026-06-15", "level": "product"},
    },
    "fulfilment-on-time": {
        "places": QUARTER,
        "never": NEVER,
        "carriers": QUARTER | {"level": "carrier", "grain": "month"},
        "channels": {"from": "2026-06-01", "to": "2026-07-15", "level": "channel"},  # what is not due yet is no failure
        "ways": QUARTER | {"level": "method", "where.category": "KIT"},
        "previous-period": {"from": "2025-11-01", "to": "2025-12-01", "level": "channel", "compare": "previous_period"},
        "billed-to": QUARTER | {"region_basis": "bill", "where.region": "GB", "level": "carrier"},
        "with-zero": {"from": "2025-11-01", "to": "2025-11-04", "grain": "day", "level": "carrier", "include_zero": "true", "where.region": "Scotland"},
    },
    "cancelled-orders": {
        "reasons": QUARTER,
        "never": NEVER,
        "stages": {"from": "2025-01-01", "to": "2026-01-01", "level": "stage"},
        "channels": QUARTER | {"level": "channel"},
        "months": {"from": "2025-07-01", "to": "2025-10-01", "grain": "month", "where.channel": "web"},
        "unknown": MARCH | {"where.location": "UNK,N/A", "level": "channel"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year", "level": "stage"},
        "billed-to": QUARTER | {"region_basis": "bill", "where.region": "DE"},
        "with-zero": {"from": "2025-07-01", "to": "2025-07-15", "grain": "week", "include_zero": "true", "where.channel": "web"},
    },
    "payment-mix": {
        "tenders": QUARTER,
        "never": NEVER,
        "gateways": QUARTER | {"level": "gateway"},
        "channels": QUARTER | {"level": "channel"},
        "months": {"from": "2025-11-01", "to": "2026-02-01", "grain": "month", "where.channel": "web,app,live"},
        "night-shop": {"from": "2025-07-04", "to": "2025-07-07", "grain": "day", "where.location": "S001"},  # after midnight, before the day ends (D12)
        "unknown": {"from": "2025-12-01", "to": "2026-01-01", "where.channel": "UNK"},
        "region": QUARTER | {"where.region": "Scotland"},
        "totals": QUARTER | {"totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
        "with-zero": {"from": "2025-07-01", "to": "2025-07-04", "grain": "day", "include_zero": "true", "where.location": "S001"},
    },
    "tax-summary": {
        "quarter": QUARTER,
        "never": NEVER,
        "jurisdictions": {"from": "2025-01-01", "to": "2026-01-01", "grain": "quarter", "level": "jurisdiction"},
        "codes": QUARTER | {"level": "code", "region_basis": "ship"},
        "by-sale-date": QUARTER | {"return_basis": "sale_date", "where.region": "DE"},
        "unknown": MARCH | {"where.location": "UNK,S001"},
        "shipped": QUARTER | {"recognition_basis": "shipped", "level": "jurisdiction"},
        "totals": QUARTER | {"totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
        "policies": QUARTER | POLICIES,
        "with-zero": BORDER | {"grain": "day", "include_zero": "true", "where.channel": "tel"},
    },
    "channel-order-reconciliation": {
        "quarter": QUARTER,
        "never": NEVER,
        "all-time": {"from": "2024-07-01", "to": "2026-07-01", "show": "problems"},
        "months": {"from": "2026-01-01", "to": "2026-07-01", "grain": "month", "source_system": "shop_web"},
        "within-ten": QUARTER | {"tolerance": "10", "where.channel": "market_eu"},
        "dirty-days": {"from": "2025-04-08", "to": "2025-04-09", "grain": "day"},  # what is held back is missing or not told
    },
    "customer-segment-export": {
        "champions": {"rfm_segment": "champions"},
        "never": {"as_of": "2018-01-01"},
        "small-groups": {"as_of": "2026-03-01", "window": "30", "where.location": "S001", "where.segment": "silver", "min_group": "12"},  # few persons are not told of (D70)
        "leaving": {"rfm_segment": "at_risk", "as_of": "2026-01-01", "where.channel": "web"},
        "gold": {"where.segment": "gold", "window": "180", "order_by": "-net_sales,customer_key", "limit": "20"},
        "no-consent": {"consent": "sms"},
    },
    "dq-freshness-lateness": {
        "tables": {"from": "2025-07-01", "to": "2026-07-01"},
        "never": NEVER,
        "months": {"from": "2026-01-15", "to": "2026-04-10", "grain": "month", "where.channel": "web,app"},
        "one-shop": {"from": "2026-06-01", "to": "2026-07-01", "where.location": "S001", "sla_days": "14"},
        "older": {"from": "2024-07-01", "to": "2026-07-01", "as_of": "2026-06-28", "sla_days": "365"},
        "worst": {"from": "2024-07-01", "to": "2026-07-01", "grain": "year", "order_by": "-late_days_p95,source_system,table_name,period_start", "limit": "5"},
    },
    "dq-duplicates": {
        "all": {},
        "never": NEVER,
        "order-lines": {"table_name": "order_line"},
        "landed-today": {"from": "2026-07-01", "to": "2026-07-02", "table_name": "return_line"},
    },
    "dq-scorecard": {
        "aspects": {},
        "never": NEVER,
        "rules": {"level": "rule"},
        "order-lines": {"level": "rule", "table_name": "order_line"},
        "returns": {"level": "rule", "table_name": "return_line", "state": "open"},
        "last-days": {"from": "2026-06-01", "sla_days": "20"},
        "best": {"level": "rule", "order_by": "-score,aspect,rule", "limit": "6"},
    },
    "customer-lifecycle": {
        "today": {},
        "never": {"as_of": "2018-01-01", "compare_as_of": "2018-01-01"},
        "winter": {"as_of": "2026-01-01", "compare_as_of": "2025-07-01"},  # nothing of later days (D47)
        "web": {"where.channel": "web", "as_of": "2025-12-01", "compare_as_of": "2025-11-01", "active_days": "30", "dormant_days": "60", "lost_days": "120"},
        "members": {"where.segment": "gold", "compare_as_of": "2026-01-01"},
        "policies": {"as_of": "2026-02-01", "compare_as_of": "2026-01-01"} | POLICIES,
    },
    "customer-360": {
        "best": {},
        "never": {"as_of": "2018-01-01"},
        "one": {"customer_key": "C0000042", "n": "5"},
        "then": {"customer_key": "C0000042", "as_of": "2025-09-01", "window": "90"},  # nothing of later days (D47)
        "web": {"where.channel": "web", "n": "3"},
        "business": {"customer_key": "B00007"},
        # One person under two keys: either finds the whole.
        "two-keys": {"customer_key": "C0000002", "n": "5"},
        "other-key": {"customer_key": "C0000009", "n": "5"},
        "unknown": {"customer_key": "nobody"},
    },
    "customer-satisfaction": {
        "year": {"from": "2025-07-01", "to": "2026-07-01"},
        "never": NEVER,
        "all-time": {"from": "2024-07-01", "to": "2026-07-01", "grain": "all"},
        "channels": {"from": "2025-07-01", "to": "2026-01-01", "grain": "quarter", "level": "channel"},
        "categories": {"from": "2025-07-01", "to": "2026-07-01", "grain": "all", "level": "category"},
        "weeks": {"from": "2025-12-22", "to": "2026-01-12", "grain": "week", "where.channel": "live"},
        "kitchen": {"from": "2025-01-01", "to": "2026-01-01", "grain": "all", "where.category": "KIT"},
        "totals": {"from": "2025-07-01", "to": "2025-10-01", "totals": "true"},
        "previous-year": {"from": "2025-10-01", "to": "2026-01-01", "compare": "previous_year"},
    },
    "complaints-analysis": {
        "year": {"from": "2025-07-01", "to": "2026-07-01"},
        "never": NEVER,
        "tickets": QUARTER | {"kind": "ticket"},
        "channels": QUARTER | {"level": "channel", "kind": "both"},
        "categories": {"from": "2025-07-01", "to": "2026-07-01", "level": "category"},
        "articles": {"from": "2025-07-01", "to": "2026-07-01", "level": "product", "order_by": "-complaints,group_id", "limit": "10"},
        "not-settled": {"from": "2026-06-15", "to": "2026-07-01"},  # those still open are in no time (D68)
        "months": QUARTER | {"grain": "month", "where.channel": "web"},
        "previous-year": {"from": "2025-08-01", "to": "2025-11-01", "compare": "previous_year"},
        "policies": QUARTER | {"cancel_policy": "include_gross"},
        "with-zero": BORDER | {"grain": "day", "include_zero": "true", "kind": "both"},
        "categories-with-zero": BORDER | {"level": "category", "include_zero": "true", "where.channel": "web,app"},
    },
    "cart-abandonment": {
        "spring": {"from": "2026-03-01", "to": "2026-05-01"},
        "never": NEVER,
        "channels": {"from": "2026-03-01", "to": "2026-04-01", "level": "channel"},
        "devices-months": {"from": "2026-01-01", "to": "2026-04-01", "level": "device", "grain": "month"},
        "articles": {"from": "2026-03-01", "to": "2026-04-01", "level": "product", "order_by": "-abandoned_value,group_id,cart_currency", "limit": "12"},
        "categories": {"from": "2026-03-01", "to": "2026-04-01", "level": "category", "where.channel": "app"},
        "one-hour": {"from": "2026-06-01", "to": "2026-07-01", "timeout": "1"},
        "not-over": {"from": "2026-06-20", "to": "2026-07-01", "timeout": "240"},  # carts that may still be bought are not abandoned (D17)
        "kitchen": {"from": "2026-03-01", "to": "2026-04-01", "where.category": "KIT"},
        "previous-period": {"from": "2026-04-01", "to": "2026-05-01", "compare": "previous_period", "level": "channel"},
        "with-zero": {"from": "2026-03-01", "to": "2026-03-04", "grain": "day", "level": "device", "include_zero": "true", "where.channel": "live"},
    },
    "rep-leaderboard": {
        "quarter": QUARTER,
        "never": NEVER,
        "shared-credit": {"from": "2025-08-01", "to": "2025-12-01", "rep_credit": "assigned"},  # shares add up; businesses change hands (D61)
        "teams": QUARTER | {"level": "team", "order_by": "-net_sales,team_id", "limit": "12"},
        "wholesale": QUARTER | {"team": "wholesale_uk", "rep_credit": "assigned"},
        "one": QUARTER | {"where.sales_rep": "R07,R04"},
        "unknown": MARCH | {"where.sales_rep": "UNK"},  # the staff of a shop that sent no list
        "totals": QUARTER | {"totals": "true", "level": "team"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year", "where.sales_rep": "R01,R05,R12,E000"},
        "policies": QUARTER | POLICIES | {"rep_credit": "assigned", "where.sales_rep": "R05,R06,R08,R11"},
        "months": {"from": "2025-08-01", "to": "2025-10-01", "grain": "month", "level": "team"},
        "with-zero": {"from": "2025-08-02", "to": "2025-08-05", "grain": "day", "include_zero": "true", "where.sales_rep": "R01,R05,R12,E000,E010"},
    },
    "rep-scorecard": {
        "quarter": QUARTER | {"team": "wholesale_uk"},
        "never": NEVER,
        "everybody": {"from": "2025-10-01", "to": "2026-01-01", "order_by": "-net_sales,sales_rep_id", "limit": "20"},
        "weights": QUARTER | {"team": "telesales", "w_attainment": "0.5", "w_growth": "0", "w_margin": "0.25", "w_retention": "0.25", "w_activity": "0"},
        "assigned": QUARTER | {"team": "wholesale_de", "rep_credit": "assigned"},
        "first-days": {"from": "2024-07-01", "to": "2024-10-01", "team": "wholesale_de"},  # nothing a year before: no score, not 0 (D28)
        "months": {"from": "2025-07-01", "to": "2025-08-01", "team": "wholesale_uk", "target_grain": "month"},  # targets are of quarters
    },
    "target-attainment": {
        "quarter": QUARTER,
        "never": NEVER,
        "company": {"from": "2025-11-01", "to": "2026-03-01", "dim_type": "company"},  # the last approved version, not the draft (D60)
        "draft": {"from": "2026-01-01", "to": "2026-03-01", "dim_type": "company", "version": "3"},
        "first-version": {"from": "2026-01-01", "to": "2026-03-01", "version": "1", "target_set": "PLAN-2026"},
        "profit": {"from": "2025-07-01", "to": "2026-01-01", "dim_type": "company", "metric": "gross_profit"},
        "units": {"from": "2025-07-01", "to": "2026-01-01", "dim_type": "company", "metric": "net_units"},
        "orders": {"from": "2025-07-01", "to": "2026-01-01", "dim_type": "company", "metric": "orders"},
        "cut-month": {"from": "2025-06-20", "to": "2025-07-11"},  # parts of months, of two plans (D60)
        "channels": QUARTER | {"dim_type": "channel", "cancel_policy": "sale_then_reversal"},
        "shops": {"from": "2025-08-10", "to": "2025-11-01", "dim_type": "location", "order_by": "-attainment,dim_id", "limit": "10"},
        "reps": QUARTER | {"dim_type": "sales_rep"},
        "reps-assigned": QUARTER | {"dim_type": "sales_rep", "rep_credit": "assigned"},
        "groups": QUARTER | {"dim_type": "region_category", "region_basis": "ship"},
        "to-come": {"from": "2026-06-15", "to": "2026-09-01", "dim_type": "company"},  # D13
    },
    "territory-variance": {
        "quarter": QUARTER,
        "never": NEVER,
        "cut-quarter": {"from": "2025-06-16", "to": "2025-08-01", "order_by": "-variance,target_set_id,region_id,category_id", "limit": "12"},  # D60
        "plan": {"from": "2025-04-01", "to": "2025-10-01", "target_set": "PLAN-2026"},
        "policies": QUARTER | POLICIES,
    },
    "target-pacing": {
        "middle": {"as_of": "2026-06-18"},
        "never": {"as_of": "2020-02-11"},
        "whole-month": {},
        "weekdays": {"as_of": "2025-09-12", "day_weights": "weekday", "dim_type": "channel", "dim_id": "pos"},  # weights sum back (D60)
        "rep": {"as_of": "2025-08-20", "to_date_of": "quarter", "dim_type": "sales_rep", "dim_id": "R06", "rep_credit": "assigned"},
        "region": {"as_of": "2026-02-10", "dim_type": "region", "dim_id": "GB-SCT", "day_weights": "weekday"},
        "quarter-of-months": {"as_of": "2025-11-30", "to_date_of": "quarter"},
        "retail": {"as_of": "2026-03-20", "to_date_of": "fiscal_period", "calendar": "retail_454"},
        "policies": {"as_of": "2025-09-10"} | POLICIES,
    },
    "promotion-performance": {
        "quarter": QUARTER,
        "never": NEVER,
        "black-week": {"from": "2025-11-15", "to": "2025-12-08", "order_by": "-promotion_discounts,promotion_id", "limit": "8"},
        "some": {"from": "2025-01-01", "to": "2025-04-01", "promotion": "SALE-2025-WINTER,CPN-WELCOME,LOYALTY"},
        "unlisted": {"from": "2026-04-01", "to": "2026-07-01", "where.category": "FOO"},  # D25
        "web": QUARTER | {"where.channel": "web,app"},  # a line of two promotions counts in both, once in each (D07)
        "previous-year": {"from": "2025-07-05", "to": "2025-07-26", "compare": "previous_year", "where.region": "DE"},
        "policies": QUARTER | POLICIES,
        "months": {"from": "2025-06-15", "to": "2025-09-01", "grain": "month"},
        "with-zero": {"from": "2025-12-29", "to": "2026-01-12", "grain": "week", "include_zero": "true", "where.location": "S001"},
    },
    "coupon-redemption": {
        "quarter": QUARTER,
        "never": NEVER,
        "codes": QUARTER | {"level": "code"},
        "members": {"from": "2025-01-01", "to": "2026-01-01", "where.segment": "gold"},
        "one-week": {"from": "2025-03-03", "to": "2025-03-10", "level": "code"},  # redeemed and not issued: no rate (D50)
        "policies": QUARTER | POLICIES,
        "months": QUARTER | {"grain": "month"},
        "with-zero": {"from": "2025-03-03", "to": "2025-03-17", "grain": "week", "include_zero": "true", "where.segment": "gold"},
    },
    "roas-cac": {
        "months": QUARTER,
        "never": NEVER,
        "first": QUARTER | {"attribution": "first", "grain": "all"},
        "linear": {"from": "2025-11-01", "to": "2026-01-01", "attribution": "linear"},  # parts add up to what was sold (D57)
        "weeks": {"from": "2025-12-22", "to": "2026-01-12", "grain": "week"},
        "all-time": {"from": "2024-07-01", "to": "2026-07-01", "grain": "quarter"},
        "previous-year": {"from": "2025-08-01", "to": "2025-10-01", "compare": "previous_year"},
        "policies": QUARTER | POLICIES,
        "with-zero": {"from": "2024-07-01", "to": "2024-07-04", "grain": "day", "include_zero": "true"},
    },
    "campaign-performance": {
        "spring": {"from": "2026-01-01", "to": "2026-07-01"},  # banners of the last quarter are not in the list
        "never": NEVER,
        "linear": QUARTER | {"attribution": "linear"},
        "mail": {"from": "2025-01-01", "to": "2026-07-01", "means": "email", "order_by": "-roas,campaign_id", "limit": "4"},
        "totals": {"from": "2026-02-01", "to": "2026-05-01", "totals": "true"},
        "previous-period": {"from": "2026-04-01", "to": "2026-07-01", "compare": "previous_period"},
        "policies": {"from": "2026-03-01", "to": "2026-04-01"} | POLICIES,
        "months": {"from": "2026-02-01", "to": "2026-04-01", "grain": "month"},
        "with-zero": {"from": "2025-03-03", "to": "2025-03-17", "grain": "week", "include_zero": "true", "means": "email"},
    },
    "low-stock-alert": {
        "shops": {},
        "never": {"as_of": "2020-01-01"},
        "sixty-days": {"days": "60", "window": "90", "as_of": "2026-06-20", "where.region": "GB-LON,GB-SCT"},  # days out of stock are no days without demand (D48)
        "winter": {"as_of": "2026-03-05", "window": "60", "days": "30", "where.category": "KIT", "return_basis": "sale_date", "cancel_policy": "include_gross"},
    },
    "stock-cover": {
        "categories": {},
        "never": {"as_of": "2020-01-01"},
        "forward": {"method": "forward", "level": "product", "where.category": "KIT", "as_of": "2025-11-01"},
        "places": {"level": "location", "window": "60", "method": "forward"},
        "one-shop": {"level": "item", "where.location": "S001", "window": "35", "order_by": "-net_units,product_id", "limit": "20"},
        "articles": {"level": "product", "where.brand": "Kestrel,Wren", "as_of": "2026-06-18"},  # below 0 is below 0 (D50)
    },
    "inventory-turnover": {
        "months": {"from": "2025-07-01", "to": "2026-07-01"},  # divided by days, not by rows (D05, D06)
        "never": NEVER,
        "places": {"from": "2026-01-10", "to": "2026-07-10", "grain": "quarter", "level": "location", "where.region": "GB-LON,DE"},  # D13
        "categories": {"from": "2025-07-01", "to": "2026-07-01", "grain": "year", "level": "category"},
        "one-brand": {"from": "2025-02-01", "to": "2025-05-01", "where.brand": "Wren", "return_basis": "sale_date"},
        "with-zero": {"from": "2024-06-01", "to": "2024-09-01", "level": "category", "include_zero": "true"},  # from before there was any stock
        "places-with-zero": {"from": "2024-06-01", "to": "2024-09-01", "level": "location", "include_zero": "true", "where.region": "Scotland"},
    },
    "gmroi": {
        "categories": {"from": "2025-07-01", "to": "2026-07-01"},
        "never": NEVER,
        "brands": QUARTER | {"level": "brand"},
        "places": {"from": "2026-06-01", "to": "2026-08-01", "level": "location"},
        "articles": {"from": "2026-01-01", "to": "2026-07-01", "level": "product", "where.category": "GAR", "cancel_policy": "include_gross"},
        "months": {"from": "2026-04-15", "to": "2026-07-15", "grain": "month", "level": "brand"},  # each month over its own days (D05, D13)
    },
    "sell-through": {
        "weeks": {"from": "2026-06-10", "to": "2026-07-01", "level": "category"},
        "never": NEVER,
        "articles": {"from": "2026-06-10", "to": "2026-06-24", "level": "product", "where.location": "S004,S005,W01", "variant": "ending", "where.category": "KIT"},
        "season": {"from": "2025-09-01", "to": "2026-01-01", "grain": "month", "variant": "opening", "where.brand": "Kestrel"},
        "places": {"from": "2026-06-18", "to": "2026-07-06", "level": "location", "where.region": "GB-SCT", "cancel_policy": "sale_then_reversal"},  # one was not counted on the day before; not over (D13)
    },
    "stock-out-rate": {
        "months": {"from": "2025-07-01", "to": "2026-07-01"},
        "never": NEVER,
        "categories": {"from": "2026-06-01", "to": "2026-07-01", "grain": "week", "level": "category"},
        "places": {"from": "2026-06-15", "to": "2026-06-20", "grain": "day", "level": "location", "where.region": "GB-LON"},  # a day without a count (D06)
        "outlets": {"from": "2026-06-01", "to": "2026-07-01", "level": "product", "weighting": "outlets", "where.category": "TOY"},
        "views": {"from": "2026-06-01", "to": "2026-07-01", "weighting": "views"},
    },
    "lost-sales-estimate": {
        "categories": {"from": "2026-05-27", "to": "2026-07-01"},  # units of the days in stock only (D48)
        "never": NEVER,
        "places": {"from": "2026-01-01", "to": "2026-07-01", "level": "location", "min_in_stock_days": "60"},
        "few-days": {"from": "2026-06-10", "to": "2026-07-10", "level": "product", "where.brand": "Veldt,Wren", "min_in_stock_days": "18"},
        "one-shop": {"from": "2025-07-01", "to": "2026-07-01", "level": "item", "where.location": "S001", "return_basis": "sale_date"},
    },
    "overstock-excess": {
        "categories": {},
        "never": {"as_of": "2020-01-01"},
        "places": {"level": "location", "horizon": "30", "as_of": "2026-06-18"},
        "articles": {"level": "product", "where.category": "GAR", "window": "60", "service_level": "0.99"},
        "one-shop": {"level": "item", "where.location": "S001", "window": "90", "horizon": "365", "cancel_policy": "include_gross"},
    },
    "inventory-movement": {
        "three-weeks": {"from": "2026-06-10", "to": "2026-07-01", "level": "location"},  # nothing is left unexplained
        "never": {"from": "2020-01-01", "to": "2020-02-01"},
        "before-the-ledger": {"from": "2026-06-01", "to": "2026-07-01"},
        "missed-count": {"from": "2026-06-18", "to": "2026-07-15", "where.location": "S002", "level": "product", "where.category": "TOY"},
        "categories": {"from": "2026-06-15", "to": "2026-06-22", "level": "category", "where.region": "DE"},
    },
    "reorder-proposal": {
        "shops": {},
        "never": {"as_of": "2020-01-01"},
        "continuous": {"policy": "continuous", "as_of": "2026-06-20", "where.region": "DE"},  # what is on order is not ordered again (D51)
        "budget": {"budget": "2000", "window": "90", "service_level": "0.99", "return_basis": "sale_date"},
        "one-shop": {"where.location": "S001,S002", "window": "180", "cancel_policy": "include_gross"},
    },
}
