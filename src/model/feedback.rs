//! feedback: what customers say: reviews, survey answers, complaints, tickets (domain 3.7). No texts: they may hold personal data.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::{CUSTOMER_GIVEN, FACT};

pub const TABLE: Table = Table {
    name: "feedback",
    about: "Reviews, survey answers, complaints and tickets, current versions.",
    kind: TableKind::Fact,
    key: &["source_system", "feedback_id"],
    parts: &[FACT, FEEDBACK],
    event: EventTime::At("opened_at"),
    month_of: Some("business_date"),
    sort: &["channel_id", "feedback_type", "business_date"],
    stats: &[
        "business_date",
        "channel_id",
        "feedback_type",
        "product_id",
        "customer_key",
        "order_id",
        "customer_given",
    ],
    checks: CHECKS,
};

const FEEDBACK: &[Column] = &[
    Column::new("feedback_id", Text, "the feedback's id at the source"),
    Column::new("feedback_type", Code, "what kind of feedback").one_of(&[
        "review",
        "rating",
        "complaint",
        "ticket",
        "nps",
        "csat",
        "survey",
        "return_note",
    ]),
    Column::new("rating", Rate, "points given, from 0 or 1 to rating_scale").nullable(),
    Column::new("rating_scale", Int, "the most points that could be given")
        .nullable()
        .or("CASE WHEN rating IS NOT NULL THEN 5 END"),
    Column::new("nps_score", Int, "would recommend us, 0 to 10").nullable(),
    Column::new("topic_code", Code, "what it is about").nullable(),
    Column::new("severity", Code, "how bad it is, in the source's words").nullable(),
    Column::new("product_id", UpperCode, "the product").nullable(),
    Column::new("order_id", Text, "the order's id at the system that sold").nullable(),
    Column::new("customer_key", Text, "pseudonymous customer; NULL = anonymous").nullable(),
    CUSTOMER_GIVEN,
    Column::new("channel_id", Code, "the channel that it is about"),
    Column::new("opened_at", Instant, "when it was given or opened"),
    Column::new("first_response_at", Instant, "when it was first answered").nullable(),
    Column::new("resolved_at", Instant, "when it was settled; NULL = open, or needs no answer").nullable(),
    Column::new("is_first_contact_resolved", Bool, "the first answer settled it").nullable(),
    Column::new("sentiment", Rate, "-1 to 1, as the source judges it").nullable(),
    Column::new("is_test", Bool, "test or training; never counted").or("false"),
];

const CHECKS: &[Check] = &[
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "rating",
        holds: "rating >= 0 AND rating <= rating_scale",
        says: "a rating lies between 0 and its scale",
    },
    Check {
        rule: "V03",
        severity: Quarantine,
        column: "nps_score",
        holds: "nps_score >= 0 AND nps_score <= 10",
        says: "a score of recommendation lies between 0 and 10",
    },
    Check {
        rule: "V01",
        severity: Reject,
        column: "rating",
        holds: "feedback_type NOT IN ('review', 'rating', 'csat') OR rating IS NOT NULL",
        says: "a review, a rating and an answer about satisfaction have a rating",
    },
    Check {
        rule: "V01",
        severity: Reject,
        column: "nps_score",
        holds: "feedback_type <> 'nps' OR nps_score IS NOT NULL",
        says: "an answer about recommendation has a score",
    },
];
