//! Lists of issues: one project, one status, filtered, in one of several orders, from a place on.
//!
//! A list over several projects or statuses is merged from such lists by whoever asks: each of them walks an
//! index, where one statement over all would sort everything.

use std::ops::RangeInclusive;

use protocol::id::{IssueId, ProjectId};

use super::engine::{Bind, Dialect, Tx};
use super::issue::StoredIssue;
use crate::error::Result;

/// What a list is ordered by, largest first; ids break ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// Last seen.
    #[default]
    LastSeen,
    /// First seen.
    FirstSeen,
    /// Events received.
    Events,
    /// Users affected.
    Users,
}

impl Sort {
    /// Returns what an issue is ordered by.
    pub(crate) fn key(self, issue: &StoredIssue) -> i64 {
        match self {
            Self::LastSeen => issue.last_seen_ms,
            Self::FirstSeen => issue.first_seen_ms,
            Self::Events => issue.times_seen,
            Self::Users => issue.users_seen,
        }
    }
}

/// A place in a list, and which side of it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What comes after a key and id.
    After(i64, i64),
    /// What comes before them, nearest first.
    Before(i64, i64),
}

impl Place {
    /// The beginning of the list.
    pub(crate) const START: Self = Self::After(i64::MAX, i64::MAX);
}

/// What an issue must be like. The default is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    /// What must hold, all of it.
    pub(crate) tests: Vec<Test>,
    /// When its first event occurred, in milliseconds.
    pub(crate) first_seen_ms: RangeInclusive<i64>,
    /// When its last event occurred, in milliseconds.
    pub(crate) last_seen_ms: RangeInclusive<i64>,
    /// Events received.
    pub(crate) times_seen: RangeInclusive<i64>,
    /// Users affected.
    pub(crate) users_seen: RangeInclusive<i64>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            tests: Vec::new(),
            first_seen_ms: 0..=i64::MAX,
            last_seen_ms: 0..=i64::MAX,
            times_seen: 0..=i64::MAX,
            users_seen: 0..=i64::MAX,
        }
    }
}

/// Something that holds for an issue, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    /// What.
    pub(crate) holds: Holds,
    /// Whether it must not.
    pub(crate) is_negated: bool,
}

/// Something that holds for an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Title or culprit matches.
    Text(Match),
    /// A column matches.
    Column(Column, Match),
    /// The newest event was not handled by the program.
    Unhandled,
    /// Some event has a tag with this key and such a value.
    Tag(String, Match),
    /// Some event has a tag with this key.
    HasTag(String),
}

/// Columns that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    /// Severity.
    Level,
    /// Platform.
    Platform,
    /// Logger.
    Logger,
    /// Title.
    Title,
    /// Where it happens.
    Culprit,
    /// The title with `: ` after it, so that `KeyError: %` finds exceptions of a type, with and without a text.
    TitleColon,
    /// Release of the first event.
    FirstRelease,
}

/// How a text is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Match {
    /// It is one of these.
    OneOf(Vec<String>),
    /// It matches a LIKE pattern (escape character `\`), in either case.
    Like(String),
}

/// Stands between and around the values of a list; no value has it.
const SEPARATOR: char = '\u{1f}';

/// One test as values of a statement: what is compared, its key or column, with what, and whether it must hold.
struct Slot {
    kind: Option<&'static str>,
    key: String,
    value: String,
    wanted: i64,
}

impl Slot {
    fn of(test: Option<&Test>) -> Self {
        let Some(test) = test else {
            return Self { kind: None, key: String::new(), value: String::new(), wanted: 1 };
        };
        let (kind, key, value) = match &test.holds {
            Holds::Text(Match::Like(pattern)) => ("text like", "", pattern.clone()),
            Holds::Text(Match::OneOf(values)) => ("text in", "", joined(values)),
            Holds::Column(column, Match::Like(pattern)) => {
                ("column like", column.name(), pattern.clone())
            }
            Holds::Column(column, Match::OneOf(values)) => {
                ("column in", column.name(), joined(values))
            }
            Holds::Unhandled => ("unhandled", "", String::new()),
            Holds::Tag(key, Match::Like(pattern)) => ("tag like", key.as_str(), pattern.clone()),
            Holds::Tag(key, Match::OneOf(values)) => match values.as_slice() {
                [value] => ("tag", key.as_str(), value.clone()),
                values => ("tag in", key.as_str(), joined(values)),
            },
            Holds::HasTag(key) => ("has", key.as_str(), String::new()),
        };
        let wanted = i64::from(!test.is_negated);
        Self { kind: Some(kind), key: key.to_owned(), value, wanted }
    }
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Platform => "platform",
            Self::Logger => "logger",
            Self::Title => "title",
            Self::Culprit => "culprit",
            Self::TitleColon => "title colon",
            Self::FirstRelease => "first release",
        }
    }
}

fn joined(values: &[String]) -> String {
    let mut joined = String::from(SEPARATOR);
    for value in values {
        joined.push_str(value);
        joined.push(SEPARATOR);
    }
    joined
}

/// Tests of one filter: as many as the statements have places for.
pub(crate) const TESTS_MAX: usize = 8;

/// One place for a test: kind, key, value, wanted, and the function that says where one text is in another.
macro_rules! slot {
    ($kind:literal, $key:literal, $value:literal, $wanted:literal, $position:literal) => {
        concat!(
            " AND (CAST(", $kind, " AS TEXT) IS NULL OR CAST(", $wanted, " AS BIGINT) = CASE WHEN CASE ", $kind, "
               WHEN 'text like' THEN LOWER(title) LIKE LOWER(", $value, ") ESCAPE '\\'
                 OR LOWER(culprit) LIKE LOWER(", $value, ") ESCAPE '\\'
               WHEN 'text in' THEN ", $position, "(", $value, ", '\u{1f}' || title || '\u{1f}') > 0
               WHEN 'column like' THEN LOWER(", column!($key), ") LIKE LOWER(", $value, ") ESCAPE '\\'
               WHEN 'column in' THEN ", $position, "(", $value, ", '\u{1f}' || ", column!($key), " || '\u{1f}') > 0
               WHEN 'unhandled' THEN is_unhandled_at_ms IS NOT NULL
               WHEN 'tag' THEN EXISTS (SELECT 1 FROM issue_tag t
                 WHERE t.issue_id = issue.id AND t.key = ", $key, " AND t.value = ", $value, ")
               WHEN 'tag like' THEN EXISTS (SELECT 1 FROM issue_tag t
                 WHERE t.issue_id = issue.id AND t.key = ", $key, "
                   AND LOWER(t.value) LIKE LOWER(", $value, ") ESCAPE '\\')
               WHEN 'tag in' THEN EXISTS (SELECT 1 FROM issue_tag t
                 WHERE t.issue_id = issue.id AND t.key = ", $key, "
                   AND ", $position, "(", $value, ", '\u{1f}' || t.value || '\u{1f}') > 0)
               WHEN 'has' THEN EXISTS (SELECT 1 FROM issue_tag t WHERE t.issue_id = issue.id AND t.key = ", $key, ")
             END THEN 1 ELSE 0 END)"
        )
    };
}

macro_rules! column {
    ($key:literal) => {
        concat!(
            "CASE ", $key, " WHEN 'level' THEN level WHEN 'platform' THEN platform WHEN 'logger' THEN logger
               WHEN 'title' THEN title WHEN 'culprit' THEN culprit WHEN 'title colon' THEN title || ': '
               WHEN 'first release' THEN first_release END"
        )
    };
}

macro_rules! search {
    ($key:literal, $sign:literal, $order:literal, $position:literal) => {
        concat!(
            "SELECT id, project_id, number, kind, title, culprit, metadata, level, platform, logger, status,
               first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
               is_unhandled_at_ms
             FROM issue
             WHERE project_id = $1 AND status = $2
               AND ", $key, " ", $sign, "= $3 AND (", $key, " ", $sign, " $3 OR id ", $sign, " $4)
               AND first_seen_ms BETWEEN $6 AND $7 AND last_seen_ms BETWEEN $8 AND $9
               AND times_seen BETWEEN $10 AND $11 AND users_seen BETWEEN $12 AND $13",
            slot!("$14", "$15", "$16", "$17", $position),
            slot!("$18", "$19", "$20", "$21", $position),
            slot!("$22", "$23", "$24", "$25", $position),
            slot!("$26", "$27", "$28", "$29", $position),
            slot!("$30", "$31", "$32", "$33", $position),
            slot!("$34", "$35", "$36", "$37", $position),
            slot!("$38", "$39", "$40", "$41", $position),
            slot!("$42", "$43", "$44", "$45", $position),
            " ORDER BY ", $key, " ", $order, ", id ", $order, " LIMIT $5"
        )
    };
}

macro_rules! ordered {
    ($dialect:expr, $key:literal, $sign:literal, $order:literal) => {
        $dialect.pick(search!($key, $sign, $order, "INSTR"), search!($key, $sign, $order, "STRPOS"))
    };
}

/// Returns the text for an order and a direction; one text for both engines but for the name of one function.
fn text(dialect: Dialect, sort: Sort, place: Place) -> &'static str {
    match (sort, place) {
        (Sort::LastSeen, Place::After(..)) => ordered!(dialect, "last_seen_ms", "<", "DESC"),
        (Sort::LastSeen, Place::Before(..)) => ordered!(dialect, "last_seen_ms", ">", "ASC"),
        (Sort::FirstSeen, Place::After(..)) => ordered!(dialect, "first_seen_ms", "<", "DESC"),
        (Sort::FirstSeen, Place::Before(..)) => ordered!(dialect, "first_seen_ms", ">", "ASC"),
        (Sort::Events, Place::After(..)) => ordered!(dialect, "times_seen", "<", "DESC"),
        (Sort::Events, Place::Before(..)) => ordered!(dialect, "times_seen", ">", "ASC"),
        (Sort::Users, Place::After(..)) => ordered!(dialect, "users_seen", "<", "DESC"),
        (Sort::Users, Place::Before(..)) => ordered!(dialect, "users_seen", ">", "ASC"),
    }
}

/// Returns issues of a project with a status, from `place` on. Of the filter's tests the first [`TESTS_MAX`]
/// count; whoever makes a filter refuses more.
pub(crate) async fn search(
    tx: &mut Tx<'_>,
    project: ProjectId,
    status: &str,
    filter: &Filter,
    (sort, place): (Sort, Place),
    limit: i64,
) -> Result<Vec<StoredIssue>> {
    let sql = text(tx.dialect(), sort, place);
    let (Place::After(key, id) | Place::Before(key, id)) = place;
    let slots: [Slot; TESTS_MAX] = std::array::from_fn(|at| Slot::of(filter.tests.get(at)));
    let mut args: Vec<&dyn Bind> = vec![&project.0, &status, &key, &id, &limit];
    for range in
        [&filter.first_seen_ms, &filter.last_seen_ms, &filter.times_seen, &filter.users_seen]
    {
        args.extend([range.start() as &dyn Bind, range.end()]);
    }
    for slot in &slots {
        args.extend([&slot.kind as &dyn Bind, &slot.key, &slot.value, &slot.wanted]);
    }
    tx.all(sql, &args).await
}

/// Sets the status of up to `limit` issues that have another one (`from`: that one), and returns
/// which.
pub(crate) async fn set_status_where(
    tx: &mut Tx<'_>,
    project: ProjectId,
    from: Option<&str>,
    to: &str,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    tx.all(
        "UPDATE issue SET status = $3, status_changed_at_ms = $4
         WHERE id IN (
           SELECT id FROM issue
           WHERE project_id = $1 AND status <> $3 AND (CAST($2 AS TEXT) IS NULL OR status = $2)
           LIMIT $5)
         RETURNING id",
        &[&project.0, &from, &to, &now_ms, &limit],
    )
    .await
}

/// Returns when the status of an issue was changed last; `None` where it never was.
pub(crate) async fn status_changed(tx: &mut Tx<'_>, issue: IssueId) -> Result<Option<i64>> {
    let found: Option<Option<i64>> =
        tx.optional("SELECT status_changed_at_ms FROM issue WHERE id = $1", &[&issue.0]).await?;
    Ok(found.flatten())
}

/// Returns the hashes that stand for an issue.
pub(crate) async fn hashes(tx: &mut Tx<'_>, issue: IssueId, limit: i64) -> Result<Vec<Vec<u8>>> {
    tx.all(
        "SELECT hash FROM group_hash WHERE issue_id = $1 ORDER BY hash LIMIT $2",
        &[&issue.0, &limit],
    )
    .await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::issue::{self, IssueUpdate};
    use crate::db::issue_count::{self, TagKey};

    fn update(id: i64, title: &str, last_seen_ms: i64) -> IssueUpdate {
        IssueUpdate {
            id,
            added: 1,
            first_seen_ms: 100 - last_seen_ms,
            last_seen_ms,
            kind: "error".to_owned(),
            title: title.to_owned(),
            culprit: "cart.total".to_owned(),
            metadata: "{}".to_owned(),
            level: if id == 3 { "fatal" } else { "error" }.to_owned(),
            platform: "python".to_owned(),
            logger: None,
            release: None,
            first_release: None,
            unhandled_at_ms: (id == 1).then_some(1),
        }
    }

    async fn found(tx: &mut Tx<'_>, filter: &Filter, sort: Sort, place: Place) -> Result<Vec<i64>> {
        let found = search(tx, ProjectId(1), "unresolved", filter, (sort, place), 2).await?;
        Ok(found.iter().map(|issue| issue.id).collect())
    }

    async fn fill(tx: &mut Tx<'_>) -> Result<()> {
        for (id, title, last_seen_ms) in
            [(1, "ValueError: 50% off", 10), (2, "KeyError: x", 20), (3, "KeyError: y", 20)]
        {
            issue::insert(tx, 1, id, "unresolved", &update(id, title, last_seen_ms)).await?;
        }
        issue::insert(tx, 2, 1, "unresolved", &update(4, "KeyError: z", 30)).await
    }

    on_both!(lists_are_ordered_and_filtered, |db| {
        db.write(|tx| {
            Box::pin(async move {
                fill(tx).await?;
                let all = Filter::default();
                assert_eq!(found(tx, &all, Sort::LastSeen, Place::START).await?, [3, 2]);
                assert_eq!(found(tx, &all, Sort::LastSeen, Place::After(20, 2)).await?, [1]);
                assert_eq!(found(tx, &all, Sort::LastSeen, Place::Before(10, 1)).await?, [2, 3]);
                assert_eq!(found(tx, &all, Sort::FirstSeen, Place::START).await?, [1, 3]);
                assert_eq!(found(tx, &all, Sort::Events, Place::START).await?, [3, 2]);
                assert_eq!(found(tx, &all, Sort::Users, Place::START).await?, [3, 2]);
                let recent = Filter { last_seen_ms: 15..=i64::MAX, ..Filter::default() };
                assert_eq!(found(tx, &recent, Sort::FirstSeen, Place::START).await?, [3, 2]);
                let old = Filter { first_seen_ms: 0..=85, ..Filter::default() };
                assert_eq!(found(tx, &old, Sort::LastSeen, Place::START).await?, [3, 2]);
                let frequent = Filter { times_seen: 1..=i64::MAX, ..Filter::default() };
                assert_eq!(
                    found(tx, &frequent, Sort::LastSeen, Place::START).await?,
                    Vec::<i64>::new()
                );
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    fn like(pattern: &str) -> Match {
        Match::Like(pattern.to_owned())
    }

    fn one_of(values: &[&str]) -> Match {
        Match::OneOf(values.iter().map(|value| (*value).to_owned()).collect())
    }

    fn tag(key: &str, value: Match) -> Holds {
        Holds::Tag(key.to_owned(), value)
    }

    async fn tag_issue(tx: &mut Tx<'_>, issue: i64, key: &str, value: &str) -> Result<()> {
        let key = TagKey { issue_id: issue, key: key.to_owned(), value: value.to_owned() };
        issue_count::add_tags(tx, &BTreeMap::from([(key, (1, 1))])).await.map(drop)
    }

    on_both!(every_test_finds_and_leaves_out_when_negated, |db| {
        db.write(|tx| {
            Box::pin(async move {
                fill(tx).await?;
                for (issue, key, value) in [
                    (1, "environment", "production"),
                    (2, "environment", "production"),
                    (2, "environment", "Staging EU"),
                    (3, "plan", "100%"),
                ] {
                    tag_issue(tx, issue, key, value).await?;
                }
                let level = |values: &[&str]| Holds::Column(Column::Level, one_of(values));
                let cases: Vec<(Holds, &[i64])> = vec![
                    (Holds::Text(like("%keyERROR: X%")), &[2]),
                    (Holds::Text(like(r"%50\% %")), &[1]),
                    (Holds::Text(like("%cart.%")), &[3, 2, 1]),
                    (Holds::Text(one_of(&["KeyError: x"])), &[2]),
                    (level(&["fatal"]), &[3]),
                    (level(&["fatal", "error"]), &[3, 2, 1]),
                    (level(&["err"]), &[]),
                    (Holds::Column(Column::Culprit, like("CART%")), &[3, 2, 1]),
                    (Holds::Column(Column::TitleColon, like("keyerror: %")), &[3, 2]),
                    (Holds::Column(Column::FirstRelease, like("%")), &[]),
                    (Holds::Unhandled, &[1]),
                    (tag("environment", one_of(&["production"])), &[2, 1]),
                    (tag("environment", one_of(&["staging"])), &[]),
                    (tag("environment", one_of(&["staging", "Staging EU"])), &[2]),
                    (tag("environment", like("staging%")), &[2]),
                    (tag("plan", like(r"100\%")), &[3]),
                    (Holds::HasTag("plan".to_owned()), &[3]),
                ];
                for (holds, expected) in cases {
                    let rest: Vec<i64> =
                        [3, 2, 1].into_iter().filter(|id| !expected.contains(id)).collect();
                    for (is_negated, expected) in [(false, expected), (true, rest.as_slice())] {
                        let filter = Filter {
                            tests: vec![Test { holds: holds.clone(), is_negated }],
                            ..Filter::default()
                        };
                        let found = all(tx, &filter).await?;
                        assert_eq!(found, expected, "{filter:?}");
                    }
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(all_tests_of_a_filter_must_hold, |db| {
        db.write(|tx| {
            Box::pin(async move {
                fill(tx).await?;
                let text = Test { holds: Holds::Text(like("%error%")), is_negated: false };
                let last = Test { holds: Holds::Text(like("%: y%")), is_negated: true };
                let mut tests = vec![text; TESTS_MAX - 1];
                tests.push(last);
                let filter = Filter { tests, ..Filter::default() };
                assert_eq!(all(tx, &filter).await?, [2, 1]);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    async fn all(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<i64>> {
        let order = (Sort::LastSeen, Place::START);
        let found = search(tx, ProjectId(1), "unresolved", filter, order, 9).await?;
        Ok(found.iter().map(|issue| issue.id).collect())
    }

    on_both!(a_batch_changes_only_what_has_another_status, |db| {
        db.write(|tx| {
            Box::pin(async move {
                fill(tx).await?;
                let project = ProjectId(1);
                let first = set_status_where(tx, project, None, "resolved", 1, 2).await?;
                let second = set_status_where(tx, project, None, "resolved", 1, 2).await?;
                let third = set_status_where(tx, project, None, "resolved", 1, 2).await?;
                assert_eq!((first.len(), second.len(), third.len()), (2, 1, 0));
                let ignored = Some("ignored");
                assert!(
                    set_status_where(tx, project, ignored, "unresolved", 1, 9).await?.is_empty()
                );
                assert_eq!(issue::count(tx, ProjectId(2), "unresolved").await?, 1);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
