//! Tests beside reports: what they tell when they hold and when they do not.

use super::*;
use crate::reports::Outcome;

/// Net sales per channel, with `tests` in the header.
fn report(tests: &str) -> String {
    let tests: String = tests.lines().map(|line| format!("-- {line}\n")).collect();
    format!(
        "-- ---\n-- title = {{ en = \"A\", zh = \"甲\" }}\n-- about = \"a\"\n-- key = [\"channel_id\"]\n-- [params]\n\
         -- least = {{ type = \"decimal\", default = -1000000 }}\n-- [columns]\n-- channel_id = \"c\"\n-- net_sales = \"n\"\n{tests}-- ---\n\
         SELECT channel_id, sum(net_rc) AS net_sales FROM sales_event GROUP BY 1 HAVING sum(net_rc) >= $least\n\
         ORDER BY net_sales DESC NULLS LAST, channel_id NULLS LAST\n"
    )
}

/// The shop's reports with one more, `mine`.
async fn with(shop: &Shop, tests: &str) -> Arc<Reports> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("reports/own");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("mine.sql"), report(tests)).unwrap();
    Arc::new(Reports::load(Some(dir.path()), &shop.engine, &Wanted::All).await.unwrap())
}

async fn outcomes(tests: &str) -> Vec<Outcome> {
    let shop = shop().await;
    let reports = with(&shop, tests).await;
    let source: std::sync::Weak<Reports> = Arc::downgrade(&reports);
    shop.engine.set_reports(source);
    reports.test("mine", &Caller::local()).await.unwrap()
}

#[tokio::test]
async fn what_holds_passes() {
    let tests = "[[tests]]\nname = \"adds up\"\nparams = { totals = \"true\" }\neach = [\"net_sales > -1000\"]\n\
        all = [\"sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)\"]\n\
        [[tests]]\nname = \"sliced\"\nparams = { \"where.channel\" = \"web\", least = 1 }\nall = [\"count(*) = 1\"]\n\
        [[tests]]\nname = \"as regions\"\nsame_sums = { report = \"sales-by-region\", columns = [\"net_sales\"] }";
    let outcomes = outcomes(tests).await;
    assert_eq!(outcomes.iter().map(|o| o.wrong.clone()).collect::<Vec<_>>(), vec![Vec::<String>::new(); 3]);
    assert_eq!((outcomes[0].test.as_str(), outcomes[1].rows), ("adds up", Some(1)));
}

#[tokio::test]
async fn what_does_not_hold_fails_and_says_what_differs() {
    let tests = "[[tests]]\nname = \"wrong on purpose\"\neach = [\"net_sales > 0\", \"channel_id <> 'nowhere'\"]\n\
        all = [\"count(*) = 1\", \"max(net_sales) > 0\"]\n\
        [[tests]]\nname = \"no such column\"\neach = [\"net_salse > 0\"]\n\
        [[tests]]\nname = \"not as a part\"\nsame_sums = { params = { \"where.channel\" = \"web\" }, columns = [\"net_sales\"] }\n\
        [[tests]]\nname = \"not as nothing\"\nparams = { least = 999999 }\nsame_sums = { columns = [\"net_sales\"] }";
    let outcomes = outcomes(tests).await;
    assert!(!outcomes[0].passed() && !outcomes[1].passed());
    let [each, all] = outcomes[0].wrong.as_slice() else { panic!("{:?}", outcomes[0].wrong) };
    assert!(each.starts_with("each net_sales > 0: not so in 2 of 5 rows, "), "{each}");
    assert!(each.contains("channel_id=UNK net_sales=-8.0000"), "{each}");
    assert_eq!(all, "all count(*) = 1: not so, 5 against 1");
    assert_eq!(outcomes[1].rows, None);
    assert!(outcomes[1].wrong[0].contains("net_salse"), "{:?}", outcomes[1].wrong);
    let part = &outcomes[2].wrong[0];
    assert!(part.starts_with("sum(net_sales): ") && part.contains("report('mine', 'where.channel=web')"), "{part}");
    assert!(outcomes[3].wrong[0].starts_with("sum(net_sales): NULL against "), "{:?}", outcomes[3].wrong);
}

#[tokio::test]
async fn a_test_that_cannot_be_right_breaks_its_report() {
    let shop = shop().await;
    for (tests, why) in [
        ("[[tests]]\nname = \"a\"", "asks for nothing"),
        ("[[tests]]\nname = \"a\"\nall = [\"true\"]\n[[tests]]\nname = \"a\"\nall = [\"true\"]", "twice"),
        ("[[tests]]\nname = \"a\"\nparams = { lest = 1 }\nall = [\"true\"]", "least"),
        ("[[tests]]\nname = \"a\"\nall = [\"max(d) < now()\"]", "reads the clock"),
        ("[[tests]]\nname = \"a\"\nany = [\"true\"]", "any"),
        ("[[tests]]\nname = \"a\"\nsame_sums = { columns = [\"net\"] }", "same_sums names net"),
        ("[[tests]]\nname = \"a\"\nsame_sums = { columns = [] }", "no columns"),
        ("[[tests]]\nname = \"a\"\nsame_sums = { columns = [\"net_sales\"] }", "with itself"),
        ("[[tests]]\nname = \"a\"\nsame_sums = { params = { lest = 1 }, columns = [\"net_sales\"] }", "least"),
    ] {
        let reports = with(&shop, tests).await;
        let broken = reports.broken();
        let told = format!("{} {:?}", broken[0].reason, broken[0].hint);
        assert!(broken[0].id == "mine" && told.contains(why), "{tests}: {told}");
    }
}

/// They hold of any lake: of one without rows, and of the shop's.
#[tokio::test]
async fn shipped_tests_hold_over_small_lakes() {
    for shop in [over(empty_lake().await).await, shop().await] {
        let reports = Arc::new(shop.reports);
        let source: std::sync::Weak<Reports> = Arc::downgrade(&reports);
        shop.engine.set_reports(source);
        for info in reports.list() {
            for outcome in reports.test(&info.id, &Caller::local()).await.unwrap() {
                assert!(outcome.passed(), "{}: {outcome:?}", info.id);
            }
        }
    }
}
