//! Bundles of real bundlers, and the stacks that node gives for their errors.

use std::collections::BTreeMap;

use super::*;
use crate::unusable::Unusable;

/// Frames per case: function as node names it, line, column.
type Stacks = BTreeMap<String, Vec<(Option<String>, u32, u32)>>;

struct Bundle {
    minified: Vec<u8>,
    map: Vec<u8>,
    stacks: Stacks,
}

fn bundle(name: &str) -> Bundle {
    let file = |end: &str| {
        let path = format!("{}/../../fixtures/js-lookup/{name}{end}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let stacks = serde_json::from_slice(&file(".stacks.json")).unwrap();
    Bundle { minified: file(".js"), map: file(".js.map"), stacks }
}

fn lookup(bundle: &Bundle) -> JsLookup {
    open(derive(Some(&bundle.minified), &bundle.map).unwrap())
}

/// Functions of every case's frames, innermost first, and the text of the innermost line.
const CASES: [(&str, &[&str], &str); 14] = [
    (
        "declaration",
        &["failInDeclaration", "api.loadCart", "cases.declaration", "runAll"],
        r#""declaration ""#,
    ),
    ("arrow", &["failInArrow", "api.saveCart", "cases.arrow", "runAll"], r#""arrow ""#),
    ("objectMethod", &["api.nested.removeCart", "runAll"], r#""object method ""#),
    (
        "fieldArrow",
        &["Cart.onChange", "Cart.addItem", "cases.fieldArrow", "runAll"],
        r#""field arrow ""#,
    ),
    (
        "privateMethod",
        &["Cart.#checkPrice", "Cart.addItem", "cases.privateMethod", "runAll"],
        r#""private method ""#,
    ),
    ("staticMethod", &["Cart.fromJson", "cases.staticMethod", "runAll"], r#""static method""#),
    ("constructor_", &["new Cart", "cases.constructor_", "runAll"], r#""constructor""#),
    ("getter", &["get Cart.total", "cases.getter", "runAll"], r#""getter""#),
    ("setter", &["set Cart.discount", "cases.setter", "runAll"], r#""setter ""#),
    ("asyncMethod", &["Cart.checkout", "runAll"], r#""async method ""#),
    (
        "nestedClosure",
        &[
            "innerHelper",
            ANONYMOUS,
            "outerHelper",
            "Cart.sumNested",
            "cases.nestedClosure",
            "runAll",
        ],
        r#""nested closure""#,
    ),
    ("callback", &[ANONYMOUS, "runCallback", "cases.callback", "runAll"], r#""callback ""#),
    ("generator", &["generateNumbers", "cases.generator", "runAll"], r#""generator""#),
    (
        "namedExpression",
        &["namedExpression", "cases.namedExpression", "runAll"],
        r#""named expression ""#,
    ),
];

/// `differing` has what the cases of this bundle find instead, where it was written into other functions.
#[track_caller]
fn names_and_lines_are_right(name: &str, differing: &[(&str, &[&str])]) {
    let bundle = bundle(name);
    let lookup = lookup(&bundle);
    let mut wrong = Vec::new();
    for (case, functions, text) in CASES {
        let functions =
            differing.iter().find(|(name, _)| *name == case).map_or(functions, |(_, found)| found);
        let frames = &bundle.stacks[case];
        let mut found = Vec::new();
        for (_, line, column) in frames {
            match lookup.lookup(*line, *column) {
                JsAnswer::Mapped(mapped) => found.extend(mapped.function),
                // The call of the function around everything.
                JsAnswer::NoMapping if matches!(name, "terser" | "webpack") => {}
                other => wrong.push(format!("{case}: {line}:{column} is {other:?}")),
            }
        }
        if found != functions {
            wrong.push(format!("{case}: {found:?}, expected {functions:?}"));
        }
        let JsAnswer::Mapped(top) = lookup.lookup(frames[0].1, frames[0].2) else { continue };
        let context = lookup.sources().lines(top.source_index, top.line, 0, 0).unwrap();
        if !context.lines[0].contains(text) || !top.source.contains("cart") {
            wrong.push(format!("{case}: {}:{} is {:?}", top.source, top.line, context.lines));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn esbuild_minified() {
    names_and_lines_are_right("esbuild", &[]);
}

#[test]
fn esbuild_not_minified() {
    names_and_lines_are_right("esbuild-plain", &[]);
}

#[test]
fn esbuild_keeping_names() {
    names_and_lines_are_right("esbuild-keep-names", &[]);
}

/// Terser moved all of `runCallback` into its only caller.
const CALLBACK: (&str, &[&str]) = ("callback", &[ANONYMOUS, "cases.callback", "runAll"]);

#[test]
fn terser_minified() {
    names_and_lines_are_right("terser", &[CALLBACK]);
}

#[test]
fn webpack_minified() {
    names_and_lines_are_right("webpack", &[CALLBACK]);
}

/// Class fields and private methods are no members of a class in this text. It begins with an astral character.
#[test]
fn esbuild_for_old_browsers() {
    let field_arrow: &[&str] = &["onChange", "Cart.addItem", "cases.fieldArrow", "runAll"];
    let private_method: &[&str] =
        &["checkPrice_fn", "Cart.addItem", "cases.privateMethod", "runAll"];
    names_and_lines_are_right(
        "esbuild-es2017",
        &[("fieldArrow", field_arrow), ("privateMethod", private_method)],
    );
}

#[test]
fn columns_are_right_too() {
    let bundle = bundle("esbuild");
    let lookup = lookup(&bundle);
    let (_, line, column) = bundle.stacks["privateMethod"][0];
    let JsAnswer::Mapped(mapped) = lookup.lookup(line, column) else { panic!() };
    assert_eq!((mapped.source, mapped.line, mapped.column), ("src/cart.ts", 49, 31));
}

#[test]
fn without_the_minified_text_positions_are_the_same_and_functions_unknown() {
    let bundle = bundle("esbuild");
    let with_text = lookup(&bundle);
    let without_text = open(derive(None, &bundle.map).unwrap());
    assert!(with_text.has_minified_text() && !without_text.has_minified_text());
    for column in 1..=1898 {
        match (with_text.lookup(1, column), without_text.lookup(1, column)) {
            (JsAnswer::Mapped(with), JsAnswer::Mapped(without)) => {
                assert_eq!(without, Mapped { function: None, ..with });
            }
            (with, without) => assert_eq!(with, without),
        }
    }
}

#[test]
fn report_counts_what_was_found() {
    let bundle = bundle("esbuild");
    let report = derive(Some(&bundle.minified), &bundle.map).unwrap().report;
    let evidence = report.evidence.unwrap();
    assert_eq!((report.source_count, report.sources_without_text), (2, 0));
    assert_eq!((evidence.inside, evidence.token_starts), (evidence.segments, evidence.sampled));
    assert!(evidence.equal * 100 > evidence.compared * 85, "{evidence:?}");
    assert!(
        report.named_function_count > 20 && report.named_function_count < report.function_count
    );
    assert_eq!(report.problems, Vec::<String>::new());
}

#[test]
fn a_text_that_is_no_script_still_has_positions() {
    let mut bundle = bundle("esbuild");
    bundle.minified.extend_from_slice(b"\n)(");
    let derived = derive(Some(&bundle.minified), &bundle.map).unwrap();
    assert!(
        derived.report.problems[0].starts_with("functions have no names"),
        "{:?}",
        derived.report
    );
    let (_, line, column) = bundle.stacks["arrow"][0];
    assert!(matches!(
        open(derived).lookup(line, column),
        JsAnswer::Mapped(Mapped { line: 12, function: None, .. })
    ));
}

#[test]
fn maps_of_other_bundles_are_refused() {
    let names =
        ["esbuild", "esbuild-keep-names", "esbuild-es2017", "esbuild-plain", "terser", "webpack"];
    for own in names {
        for other in names.into_iter().filter(|other| *other != own) {
            let result = derive(Some(&bundle(own).minified), &bundle(other).map);
            assert!(
                matches!(result, Err(Unusable::WrongMap(_))),
                "{own} with {other}: {:?}",
                result.map(|d| d.report)
            );
        }
    }
}
