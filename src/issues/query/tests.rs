use super::*;

const NOW_MS: i64 = 1_795_247_062_000;

#[track_caller]
fn parse(text: &str) -> IssueQuery {
    IssueQuery::parse(text, NOW_MS).unwrap_or_else(|refused| panic!("{text}: {refused:?}"))
}

/// The one test that a query makes.
#[track_caller]
fn check(text: &str, holds: Holds, is_negated: bool) {
    assert_eq!(parse(text).filter.tests, [Test { holds, is_negated }], "{text}");
}

fn one_of(values: &[&str]) -> Match {
    Match::OneOf(values.iter().map(|value| (*value).to_owned()).collect())
}

fn like(pattern: &str) -> Match {
    Match::Like(pattern.to_owned())
}

fn tag(key: &str, value: Match) -> Holds {
    Holds::Tag(key.to_owned(), value)
}

#[test]
fn statuses_have_several_names_and_can_be_combined() {
    use IssueStatus::{Ignored, Resolved, Unresolved};
    assert_eq!(parse(DEFAULT).statuses, [Unresolved]);
    assert_eq!(parse("").statuses, STATUSES);
    for word in ["ignored", "archived", "muted"] {
        assert_eq!(parse(&format!("is:{word}")).statuses, [Ignored], "{word}");
    }
    assert_eq!(parse("!is:resolved").statuses, [Unresolved, Ignored]);
    assert_eq!(parse("is:[resolved, ignored]").statuses, [Resolved, Ignored]);
    assert_eq!(parse("is:resolved is:ignored").statuses, []);
}

#[test]
fn handled_is_the_opposite_of_unhandled() {
    check("is:unhandled", Holds::Unhandled, false);
    check("is:handled", Holds::Unhandled, true);
    check("!is:handled", Holds::Unhandled, false);
    check("error.handled:true", Holds::Unhandled, true);
    check("error.unhandled:true", Holds::Unhandled, false);
    check("!error.unhandled:0", Holds::Unhandled, false);
}

#[test]
fn columns_are_known_by_sentrys_names() {
    check("level:warn", Holds::Column(Column::Level, one_of(&["warning"])), false);
    check("!level:[error, fatal]", Holds::Column(Column::Level, one_of(&["error", "fatal"])), true);
    check("platform.name:native", Holds::Column(Column::Platform, one_of(&["native"])), false);
    check("first-release:shop@1*", Holds::Column(Column::FirstRelease, like("shop@1%")), false);
    check("error.type:KeyError", Holds::Column(Column::TitleColon, like("KeyError: %")), false);
    check("error.value:x", Holds::Column(Column::TitleColon, like("%: x: ")), false);
    let high = Holds::Column(Column::Level, one_of(&["fatal", "error"]));
    check("issue.priority:high", high, false);
}

#[test]
fn whatever_else_has_a_key_is_a_tag() {
    check("environment:production", tag("environment", one_of(&["production"])), false);
    check("!release:shop@2.4.1", tag("release", one_of(&["shop@2.4.1"])), true);
    check("tags[a:b]:c*", tag("a:b", like("c%")), false);
    check("plan:[free, \"half price\"]", tag("plan", one_of(&["free", "half price"])), false);
    check("os.name:Linux", tag("os", like("Linux%")), false);
    check("error.mechanism:panic", tag("mechanism", one_of(&["panic"])), false);
    check("has:plan", Holds::HasTag("plan".to_owned()), false);
    check("plan:\"\"", Holds::HasTag("plan".to_owned()), true);
    check("!plan:\"\"", Holds::HasTag("plan".to_owned()), false);
    assert_eq!(parse("level:error plan:x has:os").tags(), ["plan", "os"]);
}

#[test]
fn every_word_must_be_found_and_quotes_keep_words_together() {
    check("50%_x", Holds::Text(like(r"%50\%\_x%")), false);
    check("Key*x", Holds::Text(like("%Key%x%")), false);
    check(r#""a \"b\" is:x""#, Holds::Text(like(r#"%a "b" is:x%"#)), false);
    let query = parse("disk is:unresolved full");
    let texts: Vec<_> = query.filter.tests.into_iter().map(|test| test.holds).collect();
    assert_eq!(texts, [Holds::Text(like("%disk%")), Holds::Text(like("%full%"))]);
    assert_eq!(query.terms, ["disk", "is:unresolved", "full"]);
}

#[test]
fn ids_are_recognized() {
    let short_id = Some(ShortId { slug: "shop".to_owned(), number: 33 });
    assert_eq!(parse("SHOP-11").short_id, short_id);
    assert_eq!(parse("is:resolved issue:SHOP-11").short_id, short_id);
    assert_eq!(parse("SHOP-11 disk").short_id, None);
    let id = "9c7d8f0e-1a2b-4c3d-8e4f-5a6b7c8d9e0f";
    assert_eq!(parse(id).event_id, Some(id.parse().unwrap()));
    assert_eq!(parse("project:Shop").projects, ["shop"]);
    assert_eq!(parse(r#"project:[a, "my shop"] x"#).projects, ["a", "my shop"]);
}

#[test]
fn numbers_and_times_make_ranges_narrower() {
    let filter = parse("timesSeen:>=10 timesSeen:<1k users:>5").filter;
    assert_eq!((filter.times_seen, filter.users_seen), (10..=999, 6..=i64::MAX));
    let filter = parse("age:-24h lastSeen:+1h").filter;
    assert_eq!(filter.first_seen_ms, NOW_MS - 86_400_000..=i64::MAX);
    assert_eq!(filter.last_seen_ms, 0..=NOW_MS - 3_600_000);
}

#[test]
fn environments_are_one_more_test() {
    let mut query = parse("disk");
    query.in_environments(&["a", "b"]).unwrap();
    let environment = Test { holds: tag("environment", one_of(&["a", "b"])), is_negated: false };
    assert_eq!(query.filter.tests.last(), Some(&environment));
}

#[test]
fn all_issues_are_errors() {
    let any = Holds::Column(Column::Title, like("%"));
    check("issue.category:error", any.clone(), false);
    check("issue.category:feedback", any, true);
}

#[test]
fn what_is_not_understood_is_named() {
    let nine = "a b c d e f g h i";
    for (text, term) in [
        ("disk assigned:me", "assigned:me"),
        ("is:linked", "is:linked"),
        ("level:loud", "level:loud"),
        ("a OR b", "OR"),
        ("user.email:a@b.c", "user.email:a@b.c"),
        ("timesSeen:many x", "timesSeen:many"),
        ("age:old", "age:old"),
        ("!project:x", "!project:x"),
        ("plan:[a*, b]", "plan:[a*, b]"),
        ("release:latest", "release:latest"),
        ("error.handled:perhaps", "error.handled:perhaps"),
        ("issue:nothing", "issue:nothing"),
        (nine, "i"),
    ] {
        let refused = IssueQuery::parse(text, NOW_MS).unwrap_err();
        assert_eq!(refused.term, term, "{text}: {}", refused.why);
        let error = Error::from(refused).to_string();
        let beginning = format!("Error parsing search query: `{term}`: ");
        assert!(error.starts_with(&beginning) && error.contains("is:unresolved"), "{error}");
    }
    let long = "é".repeat(501);
    assert!(IssueQuery::parse(&long, NOW_MS).unwrap_err().why.contains("1000 bytes"));
}
